//! One suite for every driver: it is the meaning of [`Driver`], and the fake passes it too.

mod bench;
mod cases;

pub(crate) use bench::{Bench, Case, ManualClock, instance_id, order};

/// Runs every case of the suite on each of the benches.
macro_rules! driver_suite {
    ($($name:ident: $bench:ty),+ $(,)?) => {$(
        mod $name {
            use crate::suite::Bench;

            driver_suite!(@cases $bench;
                an_instance_that_answers_becomes_ready,
                a_start_that_is_repeated_changes_nothing,
                a_stop_is_seen_at_once_and_ends_in_an_exit,
                an_instance_that_is_being_prepared_can_be_stopped,
                stopping_and_forgetting_what_is_not_there_changes_nothing,
                an_end_before_the_first_good_ping_is_told,
                an_end_after_the_first_good_ping_is_told,
                an_instance_that_never_answers_is_given_up,
                an_unknown_image_is_refused,
                an_artefact_that_cannot_be_had_is_told,
                only_an_instance_that_has_exited_can_be_forgotten,
                instances_are_told_in_the_order_of_their_ids,
                what_an_instance_uses_is_told_while_it_runs_and_its_time_never_goes_back,
            );
        }
    )+};
    (@cases $bench:ty; $($case:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $case() {
            let mut bench = <$bench>::open().await;
            crate::suite::cases::$case(&mut bench).await;
            bench.close().await;
        }
    )+};
}

mod runs {
    driver_suite!(process: crate::process::bench::ProcessBench, fake: crate::fake::bench::FakeBench);
}
