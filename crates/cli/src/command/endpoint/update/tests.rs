//! What the command asks, says and refuses; what it carries out is tested where it is decided.

use clap::Parser;
use domain::safe_update::{Bound, Capacity, Plan, Planned, Step, Why};

use super::*;
use crate::command::endpoint::Command;
use crate::testing::{FakeServer, run_under_way};

const CLOCK: &str = r#"{"now":"1970-01-01T00:02:00Z","now_epoch_seconds":120.0,"time_scale":60.0}"#;
const NO_CLOCK: &str = "<html>";
const DESCRIBED: &str = r#"{"EndpointName":"tide","EndpointArn":"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/tide",
    "EndpointConfigName":"one","CreationTime":60,"LastModifiedTime":60,"EndpointStatus":"InService","ProductionVariants":
    [{"VariantName":"a","CurrentInstanceCount":2,"DesiredInstanceCount":2,"CurrentWeight":1,"DesiredWeight":1}]}"#;
const NO_TARGETS: &str = r#"{"ScalableTargets":[]}"#;
const LAST_UPDATE: &str = r#"{"EndpointName":"tide","EndpointConfigInUse":"one"}"#;
const UNKNOWN: &str = r#"{"__type":"UnknownOperationException","message":"unknown"}"#;

fn config(name: &str, model: &str) -> String {
    format!(
        r#"{{"EndpointConfigName":"{name}","EndpointConfigArn":"arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/{name}",
        "CreationTime":60,"ProductionVariants":[{{"VariantName":"a","ModelName":"{model}","InstanceType":"ml.m5.large",
        "InitialInstanceCount":1,"InitialVariantWeight":1}}]}}"#
    )
}

#[derive(Debug, Parser)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

fn parsed(line: &str) -> Result<Arguments, String> {
    let words = ["tidegate", "update"].into_iter().chain(line.split_whitespace());
    match Program::try_parse_from(words) {
        Ok(Program { command: Command::Update(arguments) }) => Ok(*arguments),
        Ok(other) => Err(format!("{other:?}")),
        Err(error) => Err(error.to_string()),
    }
}

/// What came of a command: exit code or error, stdout, stderr, and what the server was asked.
struct Came {
    code: Result<String, String>,
    data: String,
    notes: String,
    asked: Vec<String>,
}

async fn run_with(
    line: &str,
    answers: &[(u16, &str)],
    environment: &Environment,
    json: bool,
) -> Came {
    let server = FakeServer::answering(answers).await;
    let (output, data, notes) = Output::in_memory(json);
    let client = Client::new(server.target());
    let code = Box::pin(run(&client, &parsed(line).unwrap(), environment, &output)).await;
    Came {
        code: code.map(|code| format!("{code:?}")).map_err(|error| error.to_string()),
        data: data.text(),
        notes: notes.text(),
        asked: server.operations(),
    }
}

fn exit(code: u8) -> String {
    format!("{:?}", ExitCode::from(code))
}

fn environment(state: &tempfile::TempDir) -> Environment {
    [("XDG_STATE_HOME".to_owned(), state.path().display().to_string())].into()
}

/// The same where the journal has a run from before, and what the journal has afterwards.
async fn run_after(before: &Run, line: &str, answers: &[(u16, &str)]) -> (Came, Run) {
    let state = tempfile::tempdir().unwrap();
    let server = FakeServer::answering(answers).await;
    let (output, data, notes) = Output::in_memory(false);
    let client = Client::new(server.target());
    let name = "tide".parse().unwrap();
    let place = place_of(&client, &name, &environment(&state)).await.unwrap();
    place.clone().hold().unwrap().write(before).unwrap();
    let arguments = parsed(line).unwrap();
    let code = Box::pin(run(&client, &arguments, &environment(&state), &output)).await;
    let came = Came {
        code: code.map(|code| format!("{code:?}")).map_err(|error| error.to_string()),
        data: data.text(),
        notes: notes.text(),
        asked: server.operations(),
    };
    (came, place.read().unwrap().unwrap())
}

#[test]
fn a_plan_reads_well() {
    let mut facts = run_under_way().facts;
    facts.wanted.name = "two".parse().unwrap();
    let step = |number, title: &str, needed, why: &str, calls: Vec<Planned>| Step {
        number,
        title: title.into(),
        needed,
        why: why.into(),
        calls,
    };
    let call = |operation: &str, on: &str| Planned {
        service: "application-autoscaling".into(),
        operation: operation.into(),
        on: on.into(),
    };
    let plan = Plan {
        verdict: Verdict::Refused(
            "The variant(s) \"[a]\" must be deregistered as scalable targets first.".into(),
        ),
        bound: vec![Bound { variant: "a".parse().unwrap(), why: Why::Removed }],
        steps: vec![
            step(
                1,
                "Stop scaling",
                true,
                "Its instance type changes.",
                vec![
                    call("DeleteScalingPolicy", "keep of a"),
                    call("DeregisterScalableTarget", "endpoint/tide/variant/a"),
                ],
            ),
            step(2, "Raise capacity", false, "Not asked for.", Vec::new()),
        ],
        capacity: vec![Capacity { variant: "a".parse().unwrap(), before: 2, during: 2, after: 3 }],
        notes: vec![
            "No way.".into(),
            "A sentence that is so long that it has to go on in the next line of the page.".into(),
        ],
        obstacles: vec!["No way.".into()],
    };
    let wanted = "\
tide  InService  one → two
  A plain UpdateEndpoint would be refused:
    The variant(s) \"[a]\" must be deregistered as scalable targets first.

Steps
  1  Stop scaling
     Its instance type changes.
       DeleteScalingPolicy       keep of a
       DeregisterScalableTarget  endpoint/tide/variant/a
  2  Raise capacity. Not asked for.

Instances in service
  VARIANT  BEFORE  DURING AT LEAST  AFTER
  a        2       2                3

Good to know
  ✗ No way.
  - A sentence that is so long that it has to go on in the next line of the
    page.";
    assert_eq!(page::page(&facts, &plan, Ink::none()), wanted);
}

#[tokio::test]
async fn elsewhere_the_plan_goes_by_the_planner_and_changes_nothing() {
    let state = tempfile::tempdir().unwrap();
    let (one, two) = (config("one", "m"), config("two", "n"));
    let answers =
        [(404, NO_CLOCK), (200, DESCRIBED), (200, one.as_str()), (200, &two), (200, NO_TARGETS)];
    let line = "tide --endpoint-config two --plan";
    let came = run_with(line, &answers, &environment(&state), false).await;
    assert_eq!(came.code, Ok(exit(0)));
    assert!(came.data.starts_with("tide  InService  one → two\n"), "{}", came.data);
    assert_eq!(came.notes, "");
    let wanted = [
        "GET /tidegate/clock",
        "DescribeEndpoint",
        "DescribeEndpointConfig",
        "DescribeEndpointConfig",
        "DescribeScalableTargets",
    ];
    assert_eq!(came.asked, wanted);
    assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn tidegate_itself_says_what_would_become_of_the_call() {
    let denied = r#"{"__type":"AccessDeniedException","message":"User: ann is not authorized"}"#;
    let accepted = r#"{"EndpointArn":"arn","TidegatePlan":{}}"#;
    let (one, two) = (config("one", "m"), config("two", "n"));
    for (status, answer, code, verdict) in
        [(400, denied, exit(10), "\"Refused\""), (200, accepted, exit(0), "\"Accepted\"")]
    {
        let state = tempfile::tempdir().unwrap();
        let answers = [
            (200, CLOCK),
            (200, DESCRIBED),
            (200, one.as_str()),
            (200, &two),
            (200, CLOCK),
            (200, NO_TARGETS),
            (200, LAST_UPDATE),
            (status, answer),
        ];
        let line = "tide --endpoint-config two --plan --reset-weights";
        let came = run_with(line, &answers, &environment(&state), true).await;
        assert_eq!(came.code, Ok(code));
        let shown: serde_json::Value = serde_json::from_str(&came.data).unwrap();
        assert_eq!(shown["Verdict"].to_string(), verdict);
        assert_eq!(came.asked.last().map(String::as_str), Some("UpdateEndpoint (dry run)"));
    }
}

/// One that does not know dry runs would make the update.
#[tokio::test]
async fn a_server_that_has_no_dry_runs_is_not_asked_for_one() {
    let (one, two) = (config("one", "m"), config("two", "n"));
    let state = tempfile::tempdir().unwrap();
    let answers = [
        (200, CLOCK),
        (200, DESCRIBED),
        (200, one.as_str()),
        (200, &two),
        (200, CLOCK),
        (200, NO_TARGETS),
        (404, UNKNOWN),
    ];
    let line = "tide --endpoint-config two --plan";
    let came = run_with(line, &answers, &environment(&state), false).await;
    assert_eq!(came.code, Ok(exit(0)));
    assert!(came.asked.iter().all(|asked| !asked.contains("UpdateEndpoint")), "{:?}", came.asked);
}

#[tokio::test]
async fn what_does_not_exist_is_an_error_and_leaves_no_journal() {
    let missing = r#"{"__type":"ValidationException","message":"Could not find endpoint configuration \"arn\"."}"#;
    let names = r#"{"Endpoints":[]}"#;
    let one = config("one", "m");
    let state = tempfile::tempdir().unwrap();
    let answers =
        [(404, NO_CLOCK), (200, DESCRIBED), (200, one.as_str()), (400, missing), (200, names)];
    let line = "tide --endpoint-config two";
    let came = run_with(line, &answers, &environment(&state), false).await;
    let why = came.code.unwrap_err();
    assert!(
        why.starts_with("DescribeEndpointConfig: ValidationException: Could not find endpoint"),
        "{why}"
    );
    assert_eq!(came.data, "");
}

#[tokio::test]
async fn another_update_does_not_begin_before_the_first_has_ended() {
    let before = run_under_way();
    let (came, after) =
        run_after(&before, "tide --endpoint-config three", &[(404, NO_CLOCK)]).await;
    assert_eq!(
        came.code.unwrap_err(),
        "an update of tide to two is not finished (it was interrupted); finish it with `tidegate endpoint update tide \
         --resume`, or restore what was there with `tidegate endpoint update tide --undo`"
    );
    assert_eq!(came.asked, ["GET /tidegate/clock"]);
    assert_eq!(after, before);
}

#[tokio::test]
async fn what_has_ended_is_not_gone_on_with() {
    let applied = Run { phase: Phase::Ended(Outcome::Applied), problem: None, ..run_under_way() };
    let undone = Run { phase: Phase::Ended(Outcome::Undone), ..applied.clone() };
    let rolled_back = Run { problem: Some("it did not start".into()), ..undone.clone() };
    let table = [
        (&applied, "tide --resume", "is finished"),
        (&undone, "tide --resume", "was undone, and it uses one as before"),
        (&undone, "tide --undo", "was undone, and it uses one as before"),
        (&rolled_back, "tide --undo", "was undone, and it uses one as before"),
    ];
    for (before, line, became) in table {
        let (came, after) = run_after(before, line, &[(404, NO_CLOCK)]).await;
        assert_eq!(came.code, Ok(exit(0)));
        let wanted = format!("there is nothing to do: the last update of tide to two {became}\n");
        assert_eq!(came.notes, wanted);
        assert_eq!(came.asked, ["GET /tidegate/clock"]);
        assert_eq!(after, *before);
    }
}

/// It begins with a fresh survey: much may have changed since.
#[tokio::test]
async fn what_has_rolled_back_is_begun_anew() {
    let before = Run { phase: Phase::Ended(Outcome::Undone), ..run_under_way() };
    let (one, two) = (config("one", "m"), config("two", "n"));
    let busy = DESCRIBED.replace("\"InService\"", "\"Updating\"");
    let answers = [
        (404, NO_CLOCK),
        (200, busy.as_str()),
        (200, one.as_str()),
        (200, &two),
        (200, NO_TARGETS),
    ];
    let (came, after) = run_after(&before, "tide --resume", &answers).await;
    let why = came.code.unwrap_err();
    assert!(why.contains("tide is Updating"), "{why}");
    assert_eq!(after, before);
}

#[tokio::test]
async fn there_is_nothing_to_resume_where_nothing_was_begun() {
    let state = tempfile::tempdir().unwrap();
    let answers = [(404, NO_CLOCK)];
    let came = run_with("tide --undo", &answers, &environment(&state), false).await;
    let why = came.code.unwrap_err();
    assert!(why.starts_with("no update of tide has been made here: there is no "), "{why}");
}

#[test]
fn lines_that_make_no_sense_are_refused() {
    let table = [
        ("tide", "required"),
        ("tide --plan", "required"),
        ("tide --resume --undo", "cannot be used with"),
        ("tide --endpoint-config two --resume", "cannot be used with"),
        ("tide --resume --plan", "cannot be used with"),
        ("tide --undo --headroom 5%", "cannot be used with"),
        ("tide --undo --reset-counts", "cannot be used with"),
        ("tide --endpoint-config two --headroom 901%", "0% to 900%"),
        ("tide --endpoint-config two --headroom=-1%", "0% to 900%"),
        ("tide --endpoint-config two --headroom 1.5%", "whole number"),
        ("tide --endpoint-config two --headroom +5", "whole number"),
        ("tide --endpoint-config two --headroom %", "whole number"),
    ];
    for (line, problem) in table {
        let message = parsed(line).unwrap_err();
        assert!(message.contains(problem), "{line}: {message}");
    }
    let of = |line: &str| parsed(line).unwrap().request();
    assert_eq!(of("tide --endpoint-config two"), Request::default());
    let wanted = Request {
        keep_counts: false,
        keep_weights: false,
        headroom_percent: 50,
        deployment_config: None,
        retain_deployment_config: false,
    };
    assert_eq!(
        of("tide --endpoint-config two --headroom 50% --reset-weights --reset-counts"),
        wanted
    );
    assert_eq!(of("tide --endpoint-config two --headroom 900").headroom_percent, 900);
}

#[test]
fn a_deployment_config_is_taken_whole_or_refused() {
    let of =
        |given: &str| parsed(&format!("tide --endpoint-config two --deployment-config {given}"));
    let linear = r#"{"BlueGreenUpdatePolicy":{"TrafficRoutingConfiguration":{"Type":"LINEAR","WaitIntervalInSeconds":60,"LinearStepSize":{"Type":"CAPACITY_PERCENT","Value":20}}}}"#;
    let config = of(linear).unwrap().request().deployment_config.unwrap();
    assert_eq!(serde_json::to_string(&config).unwrap().len(), linear.len());
    let file = std::env::temp_dir().join(format!("tidegate-deployment-{}", std::process::id()));
    std::fs::write(&file, linear).unwrap();
    let read = of(&file.display().to_string()).unwrap().request().deployment_config;
    std::fs::remove_file(&file).unwrap();
    assert_eq!(read, Some(config));
    for (refused, why) in [
        ("{", "no JSON"),
        ("/nowhere/at/all", "/nowhere/at/all"),
        (r#"{"BlueGreenUpdatePolicys":{}}"#, "has no BlueGreenUpdatePolicys"),
        (
            r#"{"AutoRollbackConfiguration":{"Alarms":[{"AlarmNames":"a"}]}}"#,
            "has no AutoRollbackConfiguration.Alarms.AlarmNames",
        ),
        (
            r#"{"BlueGreenUpdatePolicy":{"TrafficRoutingConfiguration":{"Type":"LINEAR","WaitIntervalInSeconds":60}}}"#,
            "LinearStepSize",
        ),
    ] {
        let told = of(refused).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
    assert!(
        parsed("tide --endpoint-config two --retain-deployment-config")
            .unwrap()
            .request()
            .retain_deployment_config
    );
    assert!(
        parsed(&format!(
            "tide --endpoint-config two --retain-deployment-config --deployment-config {linear}"
        ))
        .is_err()
    );
    assert!(parsed("tide --resume --retain-deployment-config").is_err());
}
