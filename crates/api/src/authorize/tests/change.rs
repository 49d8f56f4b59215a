//! Before and after each change of who may what, with the thread's memory of the answer before in between.

use std::collections::BTreeSet;

use auth::Credentials;
use domain::iam::{AccessKey, Group, ManagedPolicy, NameKey, Role, Session, Status, Subject, User};
use domain::tag::Tags;
use domain::time::{Clock, Timestamp};
use store::Changes;

use super::{ENDPOINT, Still, World, key, key_id, policy, scope, user};

pub(super) fn allow() -> String {
    policy("Allow", "sagemaker:InvokeEndpoint", &format!("{ENDPOINT}/e"))
}

const NONE_ALLOWS: &str = "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: \
     sagemaker:InvokeEndpoint on resource: arn:aws:sagemaker:us-east-1:000000000000:endpoint/e because no \
     identity-based policy allows the sagemaker:InvokeEndpoint action";

#[tokio::test]
async fn a_users_policy_counts_and_stops_counting_at_once() {
    let world = World::of_ann(&[]).await;
    let ann = key_id("ann");
    for _ in 0..2 {
        assert_eq!(world.invoke(&ann).unwrap_err(), NONE_ALLOWS);
        world.change(Changes::none().put(user("ann", &[allow()]))).await;
        assert_eq!((world.invoke(&ann), world.invoke(&ann)), (Ok(()), Ok(())));
        let deny = policy("Deny", "*", "*");
        world.change(Changes::none().put(user("ann", &[allow(), deny]))).await;
        let words = world.invoke(&ann).unwrap_err();
        assert!(words.ends_with("with an explicit deny in an identity-based policy"), "{words}");
        world.change(Changes::none().put(user("ann", &[]))).await;
    }
}

#[tokio::test]
async fn changes_of_others_change_nothing() {
    let world = World::of_ann(&[allow()]).await;
    assert_eq!(world.invoke(&key_id("ann")), Ok(()));
    world.change(Changes::none().put(user("bob", &[])).put(key("bob", Status::Active))).await;
    assert_eq!(world.invoke(&key_id("ann")), Ok(()));
    assert!(world.invoke(&key_id("bob")).is_err());
}

#[tokio::test]
async fn keys_count_while_they_are_active() {
    let world = World::of_ann(&[allow()]).await;
    let ann = key_id("ann");
    assert_eq!(world.invoke(&ann), Ok(()));
    world.change(Changes::none().put(key("ann", Status::Inactive))).await;
    assert_eq!(world.invoke(&ann), Err("unknown key".into()));
    world.change(Changes::none().put(key("ann", Status::Active))).await;
    assert_eq!(world.invoke(&ann), Ok(()));
    world.change(Changes::none().delete::<AccessKey>(ann.clone())).await;
    assert_eq!(world.invoke(&ann), Err("unknown key".into()));
}

#[tokio::test]
async fn groups_and_managed_policies_count_with_their_version() {
    let world = World::of_ann(&[]).await;
    let mut ann = user("ann", &[]);
    ann.groups.insert(NameKey::new("Team"));
    let mut team = Group::new("Team".into(), "/".into(), 2, Still.now());
    let managed =
        ManagedPolicy::new("Invoke".into(), "/p/".into(), allow(), 3, Still.now()).unwrap();
    team.grants.attached.insert(managed.arn(&scope()));
    world.change(Changes::none().put(ann.clone()).put(team).put(managed.clone())).await;
    assert_eq!(world.invoke(&key_id("ann")), Ok(()));
    let (other, _) = managed.with_version(policy("Allow", "s3:*", "*"), true, Still.now()).unwrap();
    world.change(Changes::none().put(other)).await;
    assert_eq!(world.invoke(&key_id("ann")).unwrap_err(), NONE_ALLOWS);
    world.change(Changes::none().put(managed)).await;
    assert_eq!(world.invoke(&key_id("ann")), Ok(()));
    world.change(Changes::none().put(ann.leave(&NameKey::new("team")))).await;
    assert_eq!(world.invoke(&key_id("ann")).unwrap_err(), NONE_ALLOWS);
}

#[tokio::test]
async fn a_boundary_bounds() {
    let world = World::of_ann(&[allow()]).await;
    let text = policy("Allow", "s3:*", "*");
    let bound = ManagedPolicy::new("Bound".into(), "/".into(), text, 3, Still.now()).unwrap();
    let ann = User { boundary: Some(bound.arn(&scope())), ..user("ann", &[allow()]) };
    world.change(Changes::none().put(bound.clone()).put(ann)).await;
    let words = world.invoke(&key_id("ann")).unwrap_err();
    assert!(
        words.ends_with(
            "because no permissions boundary allows the sagemaker:InvokeEndpoint action"
        )
    );
    // One that is gone lets nothing through.
    world.change(Changes::none().delete::<ManagedPolicy>(bound.key())).await;
    assert!(world.invoke(&key_id("ann")).is_err());
}

/// A session of the role `host`, which may invoke.
fn session(policy: Option<String>, role: &Role) -> Session {
    Session {
        access_key_id: "ASIASESSION".into(),
        secret: "secret".into(),
        token: "token".into(),
        subject: Subject::Role { name: role.key(), id: role.id.clone() },
        name: "work".into(),
        policy,
        policy_arns: Vec::new(),
        tags: Tags::default(),
        transitive: BTreeSet::new(),
        source_identity: None,
        issued_at: Still.wall(),
        expires_at: Timestamp::from_millis(Still.wall().as_millis() + 900_000),
    }
}

#[tokio::test]
async fn sessions_have_the_roles_policies_less_what_their_own_leave_out() {
    let world = World::new();
    let mut role = Role::new("host".into(), "/r/".into(), String::new(), 7, Still.now());
    role.grants.inline.insert("p".into(), allow());
    world.change(Changes::none().put(role.clone()).put(session(None, &role))).await;
    assert_eq!(world.invoke("ASIASESSION"), Ok(()));
    let credential = world.authority.find("ASIASESSION").unwrap();
    assert_eq!(credential.principal.arn, "arn:aws:sts::000000000000:assumed-role/host/work");
    assert_eq!(credential.session.as_ref().unwrap().expires, 1_800_000_900);

    let narrow = Some(policy("Allow", "s3:*", "*"));
    world.change(Changes::none().put(session(narrow, &role))).await;
    let words = world.invoke("ASIASESSION").unwrap_err();
    assert!(
        words.ends_with("because no session policy allows the sagemaker:InvokeEndpoint action"),
        "{words}"
    );

    // AWS's own way to revoke sessions: those that began before now are denied everything.
    world.change(Changes::none().put(session(None, &role))).await;
    let mut revoked = role.clone();
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*",
        "Condition":{"DateLessThan":{"aws:TokenIssueTime":"2027-01-15T08:00:01Z"}}}]}"#;
    revoked.grants.inline.insert("AWSRevokeOlderSessions".into(), text.into());
    world.change(Changes::none().put(revoked)).await;
    assert!(world.invoke("ASIASESSION").is_err());

    // A role that was deleted and made anew is another one.
    let anew = Role::new("host".into(), "/r/".into(), String::new(), 8, Still.now());
    world.change(Changes::none().put(anew)).await;
    assert_eq!(world.invoke("ASIASESSION"), Err("unknown key".into()));
}

#[tokio::test]
async fn what_differs_between_requests_is_asked_each_time() {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*",
        "Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}"#;
    let world = World::of_ann(&[text.to_owned()]).await;
    let credential = world.authority.find(&key_id("ann")).unwrap();
    for (ip, allowed) in
        [("10.1.2.3", true), ("11.1.2.3", false), ("10.1.2.3", true), ("::1", false)]
    {
        let asked = || super::Asked {
            access_key_id: key_id("ann"),
            source_ip: ip.parse().ok(),
            ..super::Asked::default()
        };
        assert_eq!(world.authority.invoke(&credential, "e", asked).is_ok(), allowed, "{ip}");
    }
}

#[tokio::test]
async fn root_may_do_everything() {
    assert_eq!(World::new().invoke("AKIAROOT"), Ok(()));
}
