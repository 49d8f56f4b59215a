//! What became of the last update, and lists of safe updates.

use domain::safe_update::{Config, Facts, Request, Run, Saved};
use store::record::{Lender, SafeUpdate};

use super::*;

#[tokio::test]
async fn what_became_of_the_last_update_stays_readable() {
    let world = World::in_service().await;
    let (_, none) = world.get("chat/last-update").await;
    assert_eq!(none, json!({"EndpointName": "Chat", "EndpointConfigInUse": "c"}));
    let variant = |name: &str| json!({"VariantName": name, "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1});
    let config = json!({"EndpointConfigName": "d", "ProductionVariants": [variant("main"), variant("spare")]});
    world.sagemaker("CreateEndpointConfig", config).await;
    let update = json!({"EndpointName": "Chat", "EndpointConfigName": "d"});
    world.sagemaker("UpdateEndpoint", update.clone()).await;
    let (_, moving) = world.get("Chat/last-update").await;
    assert_eq!(
        (&moving["Outcome"], &moving["RequestedEndpointConfigName"], moving.get("EndedAt")),
        (&json!("InProgress"), &json!("d"), None)
    );
    let rollout =
        |one: &Value| (one["Rollout"]["Stage"].clone(), one["Rollout"]["Variants"].clone());
    let standing = |count| json!({"Total": count, "Wanted": count, "Active": count});
    let coming = json!({"Total": 1, "Wanted": 1, "Active": 0});
    let main = json!({"VariantName": "main", "Old": standing(2), "New": coming});
    let spare = json!({"VariantName": "spare", "Old": standing(1), "New": coming});
    assert_eq!(rollout(&moving), (json!("Provisioning"), json!([main, spare])));
    let (status, back) = world.post("/tidegate/v1/endpoints/CHAT/rollback").await;
    assert_eq!((status, &rollout(&back).0), (200, &json!("RollingBack")));
    assert_eq!(back["Rollout"]["Reason"], "The deployment was rolled back on request.");
    let described = world.sagemaker("DescribeEndpoint", json!({"EndpointName": "Chat"})).await;
    assert_eq!(described["EndpointStatus"], "RollingBack");
    // Asked for twice, it is the same.
    assert_eq!(world.post("/tidegate/v1/endpoints/Chat/rollback").await, (200, back));
    world.happened(Event::RolledBack { reason: "it never answered".into() }).await;
    let (status, nothing) = world.post("/tidegate/v1/endpoints/Chat/rollback").await;
    let told = "There is no update of endpoint \"Chat\" that could be rolled back.";
    assert_eq!((status, &nothing["Message"]), (409, &json!(told)));
    // The next success takes AWS's own word for it away.
    let more = json!({"EndpointName": "Chat", "DesiredWeightsAndCapacities": [{"VariantName": "main", "DesiredInstanceCount": 3}]});
    world.sagemaker("UpdateEndpointWeightsAndCapacities", more).await;
    world.happened(Event::Resized).await;
    let (_, rolled_back) = world.get("Chat/last-update").await;
    assert_eq!(
        (&rolled_back["Outcome"], &rolled_back["Reason"], &rolled_back["EndpointConfigInUse"]),
        (&json!("RolledBack"), &json!("it never answered"), &json!("c"))
    );
    assert_eq!(rolled_back["ReplacedEndpointConfigName"], "c");
    world.sagemaker("UpdateEndpoint", update).await;
    world.happened(Event::Deployed).await;
    world.happened(Event::Retired).await;
    let (_, applied) = world.get("Chat/last-update").await;
    assert_eq!(
        (&applied["Outcome"], applied.get("Reason"), &applied["EndpointConfigInUse"]),
        (&json!("Applied"), None, &json!("d"))
    );
    assert_eq!(world.get("nobody/last-update").await.0, 404);
}

impl World {
    async fn happened(&self, event: Event) {
        let endpoint = self.0.store.state().endpoints.values().next().map(Arc::clone).unwrap();
        self.put(endpoint.after(event, now()).unwrap()).await;
    }

    async fn list(&self, query: &str) -> (u16, Value) {
        self.at(&format!("/tidegate/v1/safe-updates{query}")).await
    }
}

fn safe_update(endpoint: &str, paused: bool) -> SafeUpdate {
    let config = |name: &str| Config { name: name.parse().unwrap(), variants: Vec::new() };
    let facts = Facts {
        endpoint: endpoint.parse().unwrap(),
        arn: String::new(),
        status: "InService".into(),
        in_use: config("c"),
        wanted: config("d"),
        running: Vec::new(),
        scaled: Vec::new(),
    };
    SafeUpdate {
        run: Run::begin(facts, Saved::default(), Request::default(), now()).unwrap(),
        turn: 1,
        paused,
        started_by: "someone".into(),
        lender: Lender {
            arn: "somebody".into(),
            access_key_id: "AKIA".into(),
            source_ip: None,
            secure: false,
            user_agent: None,
        },
    }
}

#[tokio::test]
async fn safe_updates_are_listed_by_endpoint_page_by_page() {
    let world = World::new().await;
    for (endpoint, paused) in [("b", false), ("A", true), ("c", false)] {
        world.put(safe_update(endpoint, paused)).await;
    }
    let (status, all) = world.list("").await;
    let told = |page: &Value| -> Vec<(String, String)> {
        let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
        let rows = page["SafeUpdates"].as_array().unwrap().iter();
        rows.map(|one| (text(one, "EndpointName"), text(one, "Status"))).collect()
    };
    let row = |name: &str, status: &str| (name.to_owned(), status.to_owned());
    let (a, b, c) = (row("A", "Paused"), row("b", "Running"), row("c", "Running"));
    assert_eq!(
        (status, told(&all), all.get("NextToken")),
        (200, vec![a.clone(), b.clone(), c.clone()], None)
    );
    let (_, first) = world.list("?maxResults=2").await;
    assert_eq!((told(&first), &first["NextToken"]), (vec![a, b], &json!("b")));
    let (_, last) = world.list("?maxResults=2&nextToken=b").await;
    assert_eq!((told(&last), last.get("NextToken")), (vec![c], None));
    for query in ["?nextToken=-", "?maxResults=0", "?maxResults=101", "?maxResults=x"] {
        let (status, body) = world.list(query).await;
        assert_eq!(status, 400, "{query}: {body}");
    }
    let (_, shown) = world.at("/tidegate/v1/safe-updates/a").await;
    assert_eq!(
        (&shown["StartedBy"], &shown["CarriedOutAs"]),
        (&json!("someone"), &json!("somebody"))
    );
    assert_eq!(shown["Plan"]["ToEndpointConfigName"], "d");
}
