//! One instance from order to exit. It moves through the phases and says so; it decides nothing about other instances
//! and is never restarted.

use std::time::Duration;

use domain::instance::{Address, ExitCause, Order, Phase};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Backend, Health, Running};

/// Between the first probes of a model server that starts: an echo is up at once, and must not wait for nothing.
const STARTING_PROBE_FIRST: Duration = Duration::from_millis(100);

/// Between later probes of a model server that starts: loading weights takes seconds.
const STARTING_PROBE_MAX: Duration = Duration::from_secs(1);

/// Between probes of a model server that is ready.
const READY_PROBE_EVERY: Duration = Duration::from_secs(5);

/// Bad answers in a row that end an instance. One may be a hiccup; three span more than ten seconds.
const BAD_PROBES_MAX: u32 = 3;

/// How long a model server may accept probes and not answer them. A server that does one request at a time is silent
/// for as long as that takes, at most 60 s (`reference/sagemaker-hosting.md`, section 6); killing it would fail the
/// request. Beyond that it hangs.
const SILENCE_MAX: Duration = Duration::from_secs(75);

/// The ways to end an instance from outside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Switches {
    /// Ask it to end.
    pub(crate) stop: CancellationToken,
    /// The grace is cut short: kill it. Works once `stop` is set.
    pub(crate) kill: CancellationToken,
}

/// How an instance ended, but for the time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) cause: ExitCause,
    pub(crate) was_ready: bool,
}

/// Lives the whole life of the instance `order`, telling each phase on the way but for the exit.
pub(crate) async fn live<B, F>(backend: &B, order: &Order, switches: &Switches, tell: F) -> End
where
    B: Backend,
    F: Fn(Phase) + Send + Sync,
{
    let prepared = tokio::select! {
        biased;
        () = switches.stop.cancelled() => Err(ExitCause::Stopped),
        prepared = backend.prepare(order) => prepared,
    };
    let launched = match prepared {
        Ok(()) => backend.launch(order).await,
        Err(cause) => Err(cause),
    };
    let end = match launched {
        Ok(running) => watch(backend, running, order, switches, tell).await,
        Err(cause) => End { cause, was_ready: false },
    };
    backend.clean_up(&order.id).await;
    end
}

/// Watches a model server from its launch until nothing of it is left.
async fn watch<B, F>(
    backend: &B,
    mut running: B::Running,
    order: &Order,
    switches: &Switches,
    tell: F,
) -> End
where
    B: Backend,
    F: Fn(Phase) + Send + Sync,
{
    tell(Phase::Starting);
    let address = running.address().clone();
    let startup = order.startup_timeout;
    let before_ready = tokio::select! {
        biased;
        () = switches.stop.cancelled() => Some(ExitCause::Stopped),
        cause = running.ended() => return End { cause, was_ready: false },
        ready = timeout(startup, until_ready(backend, &address)) => {
            let last_words = String::new();
            ready.err().map(|_| ExitCause::NeverReady { waited: startup, last_words })
        }
    };
    if let Some(cause) = before_ready {
        return End { cause: end(running, cause, switches).await, was_ready: false };
    }
    tell(Phase::Ready { address: address.clone() });
    let cause = tokio::select! {
        biased;
        () = switches.stop.cancelled() => ExitCause::Stopped,
        cause = running.ended() => return End { cause, was_ready: true },
        () = until_unresponsive(backend, &address) => {
            ExitCause::Unresponsive { last_words: String::new() }
        }
    };
    End { cause: end(running, cause, switches).await, was_ready: true }
}

/// Ends a model server that still runs: gracefully if it was told to stop, at once if it is ill. Gives the cause with
/// what it said last; all that it wrote has been read by then.
async fn end<R: Running>(mut running: R, mut cause: ExitCause, switches: &Switches) -> ExitCause {
    if cause == ExitCause::Stopped {
        tokio::select! {
            biased;
            () = switches.kill.cancelled() => running.kill().await,
            () = running.stop() => {}
        }
        return cause;
    }
    running.kill().await;
    if let ExitCause::NeverReady { last_words, .. } | ExitCause::Unresponsive { last_words } =
        &mut cause
    {
        *last_words = running.last_words();
    }
    cause
}

async fn until_ready<B: Backend>(backend: &B, address: &Address) {
    let mut pause = STARTING_PROBE_FIRST;
    while backend.probe(address).await != Health::Good {
        sleep(pause).await;
        pause = (pause * 3 / 2).min(STARTING_PROBE_MAX);
    }
}

async fn until_unresponsive<B: Backend>(backend: &B, address: &Address) {
    let mut bad_in_a_row = 0;
    let mut last_answer = Instant::now();
    loop {
        sleep(READY_PROBE_EVERY).await;
        match backend.probe(address).await {
            Health::Good => (bad_in_a_row, last_answer) = (0, Instant::now()),
            Health::Bad => (bad_in_a_row, last_answer) = (bad_in_a_row + 1, Instant::now()),
            Health::Silent => {}
        }
        if bad_in_a_row >= BAD_PROBES_MAX || last_answer.elapsed() >= SILENCE_MAX {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, VecDeque};
    use std::sync::Mutex;

    use domain::instance::{DeploymentId, FleetId, InstanceId, Resources};

    use super::*;

    /// A backend without processes: its model server answers probes as the script says, the last line for ever, and
    /// takes a second to end.
    #[derive(Debug, Default)]
    struct Scripted {
        probes: Mutex<VecDeque<Health>>,
        preparing: Duration,
        refuses: Option<ExitCause>,
        ends_after: Option<Duration>,
        done: Mutex<Vec<&'static str>>,
    }

    struct Server {
        address: Address,
        ends_at: Option<Instant>,
    }

    const STOPPING: Duration = Duration::from_secs(1);

    const LAST_WORDS: &str = "still loading";

    impl Backend for Scripted {
        type Running = Server;

        async fn prepare(&self, _: &Order) -> Result<(), ExitCause> {
            sleep(self.preparing).await;
            self.refuses.clone().map_or(Ok(()), Err)
        }

        async fn launch(&self, _: &Order) -> Result<Server, ExitCause> {
            self.done.lock().unwrap().push("launch");
            let ends_at = self.ends_after.map(|after| Instant::now() + after);
            Ok(Server { address: address(), ends_at })
        }

        async fn probe(&self, _: &Address) -> Health {
            let mut probes = self.probes.lock().unwrap();
            if probes.len() > 1 { probes.pop_front().unwrap() } else { probes[0] }
        }

        async fn clean_up(&self, _: &InstanceId) {
            self.done.lock().unwrap().push("clean up");
        }
    }

    impl Running for Server {
        fn address(&self) -> &Address {
            &self.address
        }

        async fn ended(&mut self) -> ExitCause {
            match self.ends_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
            ended()
        }

        fn last_words(&self) -> String {
            LAST_WORDS.to_owned()
        }

        async fn stop(&mut self) {
            sleep(STOPPING).await;
        }

        async fn kill(&mut self) {}
    }

    fn address() -> Address {
        Address::Unix("/socket".into())
    }

    fn ended() -> ExitCause {
        ExitCause::Ended { status: "exit status 3".into(), last_words: String::new() }
    }

    fn unresponsive() -> ExitCause {
        ExitCause::Unresponsive { last_words: LAST_WORDS.into() }
    }

    fn order() -> Order {
        Order {
            id: InstanceId::from_entropy(1),
            fleet: FleetId {
                endpoint: "chat".parse().unwrap(),
                deployment: DeploymentId(1),
                variant: "AllTraffic".parse().unwrap(),
            },
            image: "image".into(),
            model_data_url: None,
            environment: BTreeMap::new(),
            resources: Resources::default(),
            download_timeout: Duration::from_mins(1),
            startup_timeout: Duration::from_mins(1),
        }
    }

    /// Lives with a stop after `stop` and gives the end, the phases on the way, and how long it all took.
    async fn lived(backend: &Scripted, stop: Option<Duration>) -> (End, Vec<Phase>, Duration) {
        let phases = Mutex::new(Vec::new());
        let (switches, begun) = (Switches::default(), Instant::now());
        let order = order();
        let life = live(backend, &order, &switches, |phase| phases.lock().unwrap().push(phase));
        let stopping = async {
            match stop {
                Some(after) => sleep(after).await,
                None => std::future::pending().await,
            }
            switches.stop.cancel();
            std::future::pending::<End>().await
        };
        let end = tokio::select! { end = life => end, end = stopping => end };
        assert_eq!(backend.done.lock().unwrap().last(), Some(&"clean up"));
        (end, phases.into_inner().unwrap(), begun.elapsed())
    }

    fn scripted(probes: &[Health]) -> Scripted {
        Scripted { probes: Mutex::new(probes.iter().copied().collect()), ..Scripted::default() }
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_answers_is_ready_and_is_stopped_gracefully() {
        let backend = scripted(&[Health::Bad, Health::Bad, Health::Good]);
        let (end, phases, took) = lived(&backend, Some(secs(100))).await;
        assert_eq!(end, End { cause: ExitCause::Stopped, was_ready: true });
        assert_eq!(phases, [Phase::Starting, Phase::Ready { address: address() }]);
        assert_eq!(took, secs(100) + STOPPING);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_given_up_at_the_startup_timeout() {
        for health in [Health::Bad, Health::Silent] {
            let (end, phases, took) = lived(&scripted(&[health]), None).await;
            let cause = ExitCause::NeverReady { waited: secs(60), last_words: LAST_WORDS.into() };
            assert_eq!(end, End { cause, was_ready: false });
            assert_eq!((phases, took), (vec![Phase::Starting], secs(60)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn three_bad_answers_in_a_row_end_it_and_two_do_not() {
        use Health::{Bad, Good};
        let (end, _, took) = lived(&scripted(&[Good, Bad, Bad, Good, Bad, Bad, Bad]), None).await;
        assert_eq!(end, End { cause: unresponsive(), was_ready: true });
        assert_eq!(took, READY_PROBE_EVERY * 6);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_borne_for_as_long_as_a_request_may_take() {
        let (end, _, took) = lived(&scripted(&[Health::Good, Health::Silent]), None).await;
        assert_eq!(end, End { cause: unresponsive(), was_ready: true });
        assert!(took >= SILENCE_MAX && took <= SILENCE_MAX + READY_PROBE_EVERY, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_ends_by_itself_tells_whether_it_was_ready() {
        for (health, was_ready) in [(Health::Good, true), (Health::Bad, false)] {
            let backend = Scripted { ends_after: Some(secs(7)), ..scripted(&[health]) };
            let (end, _, took) = lived(&backend, None).await;
            assert_eq!((end, took), (End { cause: ended(), was_ready }, secs(7)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_launched_when_preparing_fails_or_is_given_up() {
        let failure = ExitCause::Artifact("no such object".into());
        let refusing = Scripted { refuses: Some(failure.clone()), ..Scripted::default() };
        let slow = Scripted { preparing: secs(1000), ..Scripted::default() };
        for (backend, stop, cause) in
            [(refusing, None, failure), (slow, Some(secs(3)), ExitCause::Stopped)]
        {
            let (end, phases, _) = lived(&backend, stop).await;
            assert_eq!((end, phases), (End { cause, was_ready: false }, vec![]));
            assert_eq!(*backend.done.lock().unwrap(), ["clean up"]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_grace_can_be_cut_short() {
        let backend = scripted(&[Health::Good]);
        let switches = Switches::default();
        switches.stop.cancel();
        switches.kill.cancel();
        let begun = Instant::now();
        let server = backend.launch(&order()).await.unwrap();
        let end = watch(&backend, server, &order(), &switches, |_| {}).await;
        assert_eq!((end.cause, begun.elapsed()), (ExitCause::Stopped, Duration::ZERO));
    }
}
