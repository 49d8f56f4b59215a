//! The tree of schedules, walked depth first; what only differs in the order of steps that do not touch each other is
//! walked once (sleep sets: Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems", chapter 5).

/// A step that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) client: usize,
    /// It changed the state.
    pub(super) wrote: bool,
    /// A call began with it.
    pub(super) began: bool,
    /// A call was answered after it.
    pub(super) ended: bool,
}

impl Step {
    /// Whether the order of two neighbours makes a difference to anybody: to what they see, or to which call was
    /// answered before which other one began.
    const fn touches(self, other: Self) -> bool {
        self.wrote || other.wrote || (self.ended && other.began) || (self.began && other.ended)
    }
}

/// A place where it was decided who goes on.
#[derive(Debug)]
struct Node {
    ready: Vec<usize>,
    /// Clients whose next step was walked from here already, or need not be.
    asleep: Vec<Step>,
    chosen: usize,
    taken: Option<Step>,
}

impl Node {
    fn choose(ready: &[usize], asleep: &[Step]) -> Option<usize> {
        ready.iter().copied().find(|client| asleep.iter().all(|step| step.client != *client))
    }
}

#[derive(Debug, Default)]
pub(super) struct Tree {
    path: Vec<Node>,
    depth: usize,
    /// All orders, also of steps that do not touch each other.
    all: bool,
}

impl Tree {
    pub(super) fn new(all: bool) -> Self {
        Self { all, ..Self::default() }
    }

    /// Who goes on of those that are ready; nobody if another walk has been everywhere that is ahead.
    pub(super) fn choose(&mut self, ready: Vec<usize>) -> Option<usize> {
        if let Some(node) = self.path.get(self.depth) {
            return Some(node.chosen);
        }
        let asleep = match self.path.last() {
            Some(Node { asleep, taken: Some(taken), .. }) if !self.all => asleep
                .iter()
                .filter(|step| step.client != taken.client && !step.touches(*taken))
                .copied()
                .collect(),
            _ => Vec::new(),
        };
        let chosen = Node::choose(&ready, &asleep)?;
        self.path.push(Node { ready, asleep, chosen, taken: None });
        Some(chosen)
    }

    /// Tells what the chosen step was.
    pub(super) fn took(&mut self, step: Step) {
        if let Some(node) = self.path.get_mut(self.depth) {
            node.taken = Some(step);
        }
        self.depth += 1;
    }

    /// Turns to the next schedule; whether there is one.
    pub(super) fn turn(&mut self) -> bool {
        self.depth = 0;
        while let Some(node) = self.path.last_mut() {
            node.asleep.extend(node.taken.take());
            if let Some(chosen) = Node::choose(&node.ready, &node.asleep) {
                node.chosen = chosen;
                return true;
            }
            self.path.pop();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Walks the schedules of clients that take so many steps each, all of which look, but for the last, which writes.
    fn walk(lengths: &[usize], all: bool) -> (usize, BTreeSet<Vec<Vec<usize>>>) {
        let mut tree = Tree::new(all);
        let (mut schedules, mut outcomes) = (0, BTreeSet::new());
        loop {
            let mut taken = vec![0; lengths.len()];
            let (mut written, mut seen) = (0, vec![Vec::new(); lengths.len()]);
            let whole = loop {
                let ready: Vec<usize> =
                    (0..lengths.len()).filter(|client| taken[*client] < lengths[*client]).collect();
                if ready.is_empty() {
                    break true;
                }
                let Some(client) = tree.choose(ready) else { break false };
                taken[client] += 1;
                let wrote = taken[client] == lengths[client];
                seen[client].push(written);
                written += usize::from(wrote);
                tree.took(Step { client, wrote, began: false, ended: false });
            };
            if whole {
                schedules += 1;
                outcomes.insert(seen);
            }
            if !tree.turn() {
                return (schedules, outcomes);
            }
        }
    }

    #[test]
    fn every_order_is_walked_once() {
        assert_eq!(walk(&[2, 2], true).0, 6);
        assert_eq!(walk(&[3, 3, 3], true).0, 1680);
    }

    /// What a client sees is how many have written before each of its steps.
    #[test]
    fn nothing_that_can_be_seen_is_left_out_and_nothing_is_walked_twice() {
        for lengths in [&[2, 2][..], &[1, 3], &[3, 3, 3], &[1, 2, 3, 2]] {
            let (_, outcomes) = walk(lengths, true);
            let (schedules, reduced) = walk(lengths, false);
            assert_eq!(outcomes, reduced, "{lengths:?}");
            assert_eq!(schedules, reduced.len(), "{lengths:?}");
        }
    }
}
