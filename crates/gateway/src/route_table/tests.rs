use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use domain::route::Strategy;

fn id(number: u128) -> InstanceId {
    InstanceId::from_entropy(number)
}

fn table(variants: &[(&str, f64, &[u128])]) -> Arc<RouteTable> {
    let variants = variants.iter().map(|(name, weight, instances)| VariantRoute {
        name: name.parse().unwrap(),
        weight: *weight,
        strategy: Strategy::LeastOutstanding,
        instances: instances
            .iter()
            .map(|number| InstanceRoute {
                id: id(*number),
                address: Address::Unix(number.to_string().into()),
            })
            .collect(),
    });
    let endpoint = EndpointRoute { variants: variants.collect(), shadow: None };
    Arc::new(RouteTable { endpoints: BTreeMap::from([("e".parse().unwrap(), Arc::new(endpoint))]) })
}

fn wanted() -> Wanted<'static> {
    let now = Instant::now();
    Wanted { endpoint: "e", whom: Whom::ByWeight, unit: 0.0, random: 0, inside_max: u64::MAX, now }
}

fn enter(routes: &Routes) -> (InstanceId, Ticket) {
    match routes.choose(&wanted(), |_| true) {
        Choice::Instance { instance, ticket, .. } => (instance.id.clone(), ticket),
        other => panic!("{other:?}"),
    }
}

#[test]
fn counts_survive_publishing_and_end_with_the_request() {
    let routes = Routes::new();
    routes.publish(table(&[("v", 1.0, &[1])]));
    let (first, ticket) = enter(&routes);
    assert_eq!((first, routes.in_flight(&id(1)), routes.in_flight(&id(2))), (id(1), 1, 0));
    routes.publish(table(&[("v", 1.0, &[1, 2])]));
    assert_eq!(enter(&routes).0, id(2), "the other one is busy");
    routes.publish(table(&[("v", 1.0, &[2])]));
    assert_eq!(routes.in_flight(&id(1)), 1, "it is out of the table and still busy");
    routes.publish(table(&[("v", 1.0, &[1])]));
    assert_eq!(routes.in_flight(&id(1)), 1, "and still the same when it is back");
    drop(ticket);
    assert_eq!(routes.in_flight(&id(1)), 0);
    assert_eq!(enter(&routes).0, id(1), "and open again");
}

#[test]
fn a_shadow_is_only_for_copies_and_its_instances_are_counted_like_others() {
    let routes = Routes::new();
    let whom = |whom| routes.choose(&Wanted { whom, ..wanted() }, |_| true);
    let with_shadow = |share| {
        let table = table(&[("v", 1.0, &[1]), ("s", 1.0, &[2])]);
        let mut route = EndpointRoute::clone(table.endpoints.values().next().unwrap());
        let variant = route.variants.pop().unwrap();
        route.shadow = Some(ShadowRoute { variant, share });
        routes.publish(Arc::new(RouteTable {
            endpoints: BTreeMap::from([("e".parse().unwrap(), Arc::new(route))]),
        }));
    };
    with_shadow(0.5);
    for _ in 0..20 {
        let Choice::Instance { instance, shadow: Some(copied), .. } = whom(Whom::ByWeight) else {
            panic!("it is ready and has a shadow")
        };
        assert_eq!(instance.id, id(1));
        assert_eq!(copied.place.target.variant.as_str(), "s");
        assert!((copied.share - 0.5).abs() < 1e-12);
    }
    assert!(matches!(whom(Whom::Named("s")), Choice::NoVariant), "nobody may ask for it");
    let Choice::Instance { instance, ticket, .. } = whom(Whom::Shadow) else { panic!("ready") };
    assert_eq!((&instance.id, routes.in_flight(&id(2))), (&id(2), 1));
    let target = Arc::clone(&instance.place.target);
    with_shadow(1.0);
    assert_eq!(routes.in_flight(&id(2)), 1);
    let Choice::Instance { instance, .. } = whom(Whom::Shadow) else { panic!("ready") };
    assert!(Arc::ptr_eq(&instance.place.target, &target), "what is counted goes on");
    routes.publish(table(&[("v", 1.0, &[1])]));
    assert!(matches!(whom(Whom::Shadow), Choice::NoVariant));
    assert_eq!(routes.in_flight(&id(2)), 1, "out of the table, and still busy");
    drop(ticket);
    assert_eq!(routes.in_flight(&id(2)), 0);
}

#[test]
fn gates_of_instances_that_are_gone_are_forgotten() {
    let routes = Routes::new();
    for number in 0..100 {
        routes.publish(table(&[("v", 1.0, &[number])]));
    }
    assert_eq!(routes.lock().len(), 1);
}

#[test]
fn an_instance_that_broke_off_a_connection_is_passed_over_for_a_moment() {
    let routes = Routes::new();
    routes.publish(table(&[("v", 1.0, &[1])]));
    let now = Instant::now();
    let choose = |now| routes.choose(&Wanted { now, ..wanted() }, |_| true);
    let Choice::Instance { ticket, .. } = choose(now) else { panic!("it is ready") };
    ticket.broke_off(now);
    assert!(matches!(choose(now), Choice::AllTried(_)), "it may be ending");
    let after = now + Duration::from_millis(100);
    assert!(matches!(choose(after), Choice::Instance { .. }), "it has not ended");
    routes.publish(table(&[("v", 1.0, &[1, 2])]));
    ticket.broke_off(after);
    let others: Vec<_> = (0..3).map(|_| choose(after)).collect();
    let is_the_other = |choice: &Choice| matches!(choice, Choice::Instance { instance, .. } if instance.id == id(2));
    assert!(others.iter().all(is_the_other), "though it becomes the busier one");
}

#[test]
fn what_cannot_be_chosen_says_why() {
    let routes = Routes::new();
    let choose =
        |wanted: &Wanted<'_>, untried: bool| format!("{:?}", routes.choose(wanted, |_| untried));
    assert_eq!(choose(&wanted(), true), "NoEndpoint");
    routes.publish(table(&[("a", 1.0, &[]), ("b", 0.0, &[1]), ("c", 0.0, &[])]));
    let is = |wanted: &Wanted<'_>, untried: bool, what: &str, variant: &str| {
        let found = choose(wanted, untried);
        let variant = format!("variant: {variant:?},");
        assert!(found.starts_with(what) && found.contains(&variant), "{found}");
    };
    // Weight 0 takes only targeted requests.
    is(&wanted(), true, "NoneReady", "a");
    is(&Wanted { whom: Whom::Named("b"), ..wanted() }, true, "Instance", "b");
    is(&Wanted { whom: Whom::Named("b"), ..wanted() }, false, "AllTried", "b");
    is(&Wanted { whom: Whom::Named("c"), ..wanted() }, true, "NoneReady", "c");
    assert_eq!(choose(&Wanted { whom: Whom::Named("B"), ..wanted() }, true), "NoVariant");
    let full = Wanted { inside_max: 0, ..wanted() };
    is(&Wanted { whom: Whom::Named("b"), ..full }, true, "Full", "b");
    is(&full, true, "NoneReady", "a");
    routes.publish(table(&[("a", 1.0, &[1]), ("b", 1.0, &[2])]));
    is(&full, true, "Full", "a");
    is(&Wanted { unit: 0.7, ..full }, true, "Full", "b");
    is(&full, false, "AllTried", "a");
    is(&wanted(), false, "AllTried", "a");
    is(&Wanted { unit: 0.7, ..wanted() }, false, "AllTried", "b");
    assert!(routes.has("e") && !routes.has("E"));
}

#[test]
fn a_variant_stays_the_same_one_while_it_is_in_the_table_and_its_share_follows_its_instances() {
    let routes = Routes::new();
    let place = || match routes.choose(&wanted(), |_| true) {
        Choice::Instance { instance, .. } => instance.place.clone(),
        Choice::NoneReady(place) => place,
        other => panic!("{other:?}"),
    };
    let mut seen = Vec::new();
    for instances in [&[1, 2, 3, 4][..], &[2], &[]] {
        routes.publish(table(&[("v", 1.0, instances), ("w", 0.0, &[])]));
        seen.push(place());
    }
    let shares: Vec<_> = seen.iter().map(|place| place.share).collect();
    assert_eq!(shares, [0.25, 1.0, 1.0]);
    assert!(seen.iter().all(|place| Arc::ptr_eq(&place.target, &seen[0].target)));
    routes.publish(table(&[("w", 1.0, &[])]));
    routes.publish(table(&[("v", 1.0, &[1])]));
    assert!(!Arc::ptr_eq(&place().target, &seen[0].target), "it was gone in between");
}

#[test]
fn a_variant_whose_instances_were_tried_leaves_the_request_to_another() {
    let routes = Routes::new();
    routes.publish(table(&[("a", 1.0, &[1]), ("b", 1.0, &[2])]));
    for unit in [0.0, 0.3, 0.6, 0.99] {
        match routes.choose(&Wanted { unit, ..wanted() }, |tried| *tried != id(1)) {
            Choice::Instance { instance, .. } => {
                assert_eq!(
                    (&instance.id, instance.place.target.header.as_bytes()),
                    (&id(2), &b"b"[..])
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    /// Requests fail and are answered in any order: each finds an instance, and never are more left out than may be.
    #[test]
    fn never_are_more_than_half_of_a_variants_instances_out(
        instances in 1..7_u128,
        steps in proptest::collection::vec((0..3000_u64, 0..10_u32, any::<u64>()), 1..200),
    ) {
        let routes = Routes::new();
        let numbers: Vec<_> = (0..instances).collect();
        routes.publish(table(&[("v", 1.0, &numbers)]));
        let mut now = wanted().now;
        for (pause, outcome, random) in steps {
            now += Duration::from_millis(pause);
            let wanted = Wanted { random, now, ..wanted() };
            let Choice::Instance { instance, ticket, .. } = routes.choose(&wanted, |_| true) else {
                return Err(TestCaseError::fail("none is left"));
            };
            // Mostly failures, so that all of them are bad for long.
            match outcome {
                0 => ticket.answered(),
                _ => instance.failed(&ticket, now),
            }
            let snapshot = routes.snapshot.load();
            let variant = &snapshot.endpoints.values().next().unwrap().variants[0];
            let standings: Vec<_> = variant.standings(&wanted, &|_| true).collect();
            let out = standings.iter().filter(|one| **one == Standing::Barred).count();
            prop_assert!(out <= numbers.len() / 2, "{:?}", standings);
        }
    }
}

/// The promise of [`Traffic::publish`], under as many interleavings as fit: once it has returned and the count of a
/// removed instance is nought, no thread is or comes inside, whatever snapshot it read before.
#[test]
fn after_publishing_no_request_slips_into_a_removed_instance() {
    let routes = Arc::new(Routes::new());
    routes.publish(table(&[("v", 1.0, &[0])]));
    let stopped: Arc<Mutex<HashSet<InstanceId>>> = Arc::default();
    let done = Arc::new(AtomicBool::new(false));
    let visitors: Vec<_> = (0..4)
        .map(|_| {
            let (routes, stopped, done) =
                (Arc::clone(&routes), Arc::clone(&stopped), Arc::clone(&done));
            thread::spawn(move || {
                let mut visits = 0_u32;
                while !done.load(Ordering::Relaxed) {
                    let (id, _ticket) = enter(&routes);
                    assert!(!stopped.lock().unwrap().contains(&id), "inside a stopped instance");
                    visits += 1;
                }
                visits
            })
        })
        .collect();
    for number in 1..1000 {
        routes.publish(table(&[("v", 1.0, &[number])]));
        while routes.in_flight(&id(number - 1)) > 0 {
            thread::yield_now();
        }
        stopped.lock().unwrap().insert(id(number - 1));
    }
    done.store(true, Ordering::Relaxed);
    let visits: u32 = visitors.into_iter().map(|visitor| visitor.join().unwrap()).sum();
    assert!(visits > 1000, "{visits} visits are too few to tell");
}

#[test]
fn an_endpoint_that_has_not_changed_is_not_made_anew() {
    let routes = Routes::new();
    let made = |routes: &Routes| Arc::clone(&routes.snapshot.load().endpoints["e"]);
    let one = table(&[("v", 1.0, &[1, 2])]);
    routes.publish(Arc::clone(&one));
    let first = made(&routes);
    let mut two = (*one).clone();
    two.endpoints.insert("other".parse().unwrap(), Arc::clone(&table(&[]).endpoints["e"]));
    routes.publish(Arc::new(two));
    assert!(Arc::ptr_eq(&first, &made(&routes)));
    let (busy, ticket) = enter(&routes);
    routes.publish(table(&[("v", 1.0, &[1, 2])]));
    assert!(!Arc::ptr_eq(&first, &made(&routes)), "it may differ");
    assert_eq!(routes.in_flight(&busy), 1, "and counts as before");
    routes.publish(Arc::new(RouteTable::default()));
    routes.publish(one);
    drop(ticket);
    assert_eq!(routes.in_flight(&busy), 0, "also when it was gone meanwhile");
    assert!([id(1), id(2)].contains(&enter(&routes).0));
}
