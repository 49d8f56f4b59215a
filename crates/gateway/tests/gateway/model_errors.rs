//! Model servers that answer badly, late or not at all.

use std::time::Duration;

use domain::route::Traffic;

use crate::support::{ACCOUNT, Behaviour, ModelServer, REGION, World, until};

fn see() -> String {
    format!(
        "See https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}#logEventViewer:\
         group=/aws/sagemaker/Endpoints/e in account {ACCOUNT} for more information."
    )
}

#[tokio::test]
async fn errors_of_the_model_server_are_told_in_full() {
    let world = World::start();
    let table = [
        (400, "bad \"input\" ü", "client", "CLIENT_ERROR_FROM_MODEL"),
        (404, "", "client", "CLIENT_ERROR_FROM_MODEL"),
        (500, "oops", "server", "SERVER_ERROR_FROM_MODEL"),
        (503, "busy", "server", "SERVER_ERROR_FROM_MODEL"),
        (302, "elsewhere", "server", "SERVER_ERROR_FROM_MODEL"),
    ];
    for (status, body, side, code) in table {
        let model = ModelServer::tcp(Behaviour::status(status, body)).await;
        world.publish_one(model.route());
        let answer = world.client().await.invoke("x").await;
        let message = format!(
            "Received {side} error ({status}) from primary with message \"{body}\". {}",
            see()
        );
        assert_eq!(answer.error(), (424, "ModelError".into(), message));
        let json = answer.json();
        assert_eq!(json["ErrorCode"], code);
        assert_eq!(json["OriginalStatusCode"], status);
        assert_eq!(json["OriginalMessage"], body);
        let group = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/e");
        assert_eq!(json["LogStreamArn"], group);
        assert_eq!(model.requests(), 1, "an answer is never asked for twice");
    }
}

#[tokio::test]
async fn a_long_error_is_cut_and_said_to_be() {
    let (world, body) = (World::start(), "x".repeat(100 * 1024));
    let model = ModelServer::tcp(Behaviour::status(413, &body)).await;
    world.publish_one(model.route());
    let answer = world.client().await.invoke("x").await;
    let message = format!(
        "Received client error (413) from primary and could not load the entire response body. {}",
        see()
    );
    assert_eq!(answer.error(), (424, "ModelError".into(), message));
    assert_eq!(answer.json()["OriginalMessage"].as_str().map(str::len), Some(64 * 1024));
}

#[tokio::test]
async fn a_model_server_that_never_answers_times_out() {
    let world = World::with(|settings| settings.limits.answer = Duration::from_millis(300));
    let half = Behaviour::Raw {
        bytes: b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe".to_vec(),
        close: false,
    };
    for behaviour in [Behaviour::Hang, half] {
        let model = ModelServer::tcp(behaviour).await;
        world.publish_one(model.route());
        let answer = world.client().await.invoke("x").await;
        let message = format!(
            "Received server error (0) from primary with message \"Your invocation timed out while waiting for a \
             response from container primary. Review the latency metrics for each container in Amazon CloudWatch, \
             resolve the issue, and try again.\". {}",
            see()
        );
        assert_eq!(answer.error(), (424, "ModelError".into(), message));
        assert_eq!(answer.json()["OriginalStatusCode"], 0);
        // The connection is given up, so that the model server can notice.
        until("the model server notices", || model.closed() > 0).await;
    }
}

#[tokio::test]
async fn garbage_and_broken_answers_are_the_model_servers_fault_and_not_asked_for_again() {
    let world = World::start();
    let table: [&[u8]; 8] = [
        b"",
        b"\0\xff\xfe garbage",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 99999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ];
    for bytes in table {
        let model = ModelServer::tcp(Behaviour::raw(bytes)).await;
        world.publish_one(model.route());
        let answer = world.client().await.invoke("x").await;
        let (status, kind, message) = answer.error();
        let text = String::from_utf8_lossy(bytes);
        assert_eq!((status, &kind[..]), (424, "ModelError"), "{text:?}: {message}");
        assert!(
            message
                .contains("Received server error (0) from primary with message \"The connection"),
            "{text:?}"
        );
        assert_eq!(model.requests(), 1, "{text:?}");
    }
}

#[tokio::test]
async fn an_answer_above_the_limit_is_an_error_and_not_a_part_of_it() {
    let world = World::start();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", gateway::BODY_BYTES_MAX + 1);
    let bytes = [head.into_bytes(), vec![b'x'; gateway::BODY_BYTES_MAX + 1]].concat();
    let model = ModelServer::unix(Behaviour::raw(bytes));
    world.publish_one(model.route());
    let (status, kind, message) = world.client().await.invoke("x").await.error();
    assert_eq!((status, &kind[..]), (424, "ModelError"));
    assert!(message.contains("longer than the maximum of 6291456 bytes"), "{message}");
}

#[tokio::test]
async fn a_connection_that_the_server_closes_after_each_answer_costs_no_request() {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::EchoAndClose).await);
    world.publish_one(model.route());
    let mut client = world.client().await;
    for number in 0..200 {
        let answer = client.invoke(format!("{number}")).await;
        assert_eq!((answer.status.as_u16(), answer.body), (200, number.to_string().into()));
    }
    assert_eq!((model.requests(), model.connections()), (200, 200));
}

#[tokio::test]
async fn a_client_that_hangs_up_takes_its_request_along() {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::Hang).await);
    world.publish_one(model.route());
    let mut client = world.client().await;
    let mut request = crate::support::invocation("x");
    crate::support::sign(&mut request, &world.address().to_string(), "sagemaker").await;
    let asked = async {
        until("the model server is asked", || model.requests() > 0).await;
    };
    tokio::select! {
        answer = client.try_send(request) => panic!("{answer:?}"),
        () = asked => {}
    }
    assert_eq!(world.routes.in_flight(model.id()), 1);
    client.hang_up();
    until("the model server notices", || model.closed() > 0).await;
    until("nobody is inside", || world.routes.in_flight(model.id()) == 0).await;
}
