//! Limits and conflicts of the records (`reference/autoscaling-and-cloudwatch.md`, section 8.5).

use super::*;
use crate::arn::Scope;
use crate::tag::Tags;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_529_870_369_986);

fn scope() -> Scope {
    Scope { region: "us-east-1".into(), account: "000000000000".into() }
}

fn user() -> User {
    User::new("Alice".into(), "/team/".into(), 7, NOW)
}

#[test]
fn a_user_is_deleted_only_when_nothing_hangs_on_it() {
    assert_eq!(user().admit_deletion(), Ok(()));
    let grants = |grants| User { grants, ..user() };
    let inline = Grants::default().put(Holder::User, "Alice", "p".into(), "{}".into()).unwrap();
    let attached = Grants::default().attach(Holder::User, "arn".into()).unwrap();
    for (user, why) in [
        (user().join(NameKey::new("G")).unwrap(), Refusal::InGroups),
        (grants(inline), Refusal::PoliciesInline),
        (grants(attached), Refusal::PoliciesAttached),
        (user().hold("AKIA".into()).unwrap(), Refusal::HasAccessKeys),
    ] {
        assert_eq!(user.admit_deletion(), Err(why));
    }
}

#[test]
fn limits_are_awss() {
    let mut grown = user();
    for number in 0..10 {
        grown = grown.join(NameKey::new(&number.to_string())).unwrap();
        grown.grants = grown.grants.attach(Holder::User, number.to_string()).unwrap();
    }
    assert_eq!(grown.join(NameKey::new("9")).map(|user| user.groups.len()), Ok(10));
    let text = |refusal: Refusal| refusal.to_string();
    let eleventh = grown.join(NameKey::new("10")).map_err(text);
    assert_eq!(eleventh.err().as_deref(), Some("Cannot exceed quota for GroupsPerUser: 10"));
    let eleventh = grown.grants.attach(Holder::User, "10".into()).map_err(text);
    assert_eq!(eleventh.err().as_deref(), Some("Cannot exceed quota for PoliciesPerUser: 10"));
    let keys = user().hold("a".into()).unwrap().hold("b".into()).unwrap().hold("c".into());
    let third = keys.map_err(text).err();
    assert_eq!(third.as_deref(), Some("Cannot exceed quota for AccessKeysPerUser: 2"));
}

#[test]
fn the_sum_of_inline_policies_is_bounded_and_white_space_is_free() {
    for (holder, max) in [(Holder::User, 2_048), (Holder::Group, 5_120), (Holder::Role, 10_240)] {
        let half = Grants::default().put(holder, "n", "a".into(), "x".repeat(max / 2)).unwrap();
        let full =
            half.put(holder, "n", "b".into(), " \n".repeat(50) + &"x".repeat(max / 2)).unwrap();
        assert_eq!(full.put(holder, "n", "a".into(), "x".repeat(max / 2)).as_ref(), Ok(&full));
        let over = full.put(holder, "n", "c".into(), "x".into());
        assert_eq!(over, Err(Refusal::InlineTooLong { holder, name: "n".into(), max }));
    }
}

#[test]
fn a_policy_has_five_versions_and_numbers_do_not_come_again() {
    let write =
        |document: &str| ManagedPolicy::new("p".into(), "/".into(), document.into(), 1, NOW);
    let long = write(&"x".repeat(MANAGED_POLICY_CHARACTERS_MAX + 1));
    assert_eq!(
        long.map_err(|why| why.to_string()).err().as_deref(),
        Some("Cannot exceed quota for PolicySize: 6144")
    );
    let mut policy = write(&"x".repeat(MANAGED_POLICY_CHARACTERS_MAX)).unwrap();
    for number in 2..=5 {
        let (next, made) = policy.with_version("{}".into(), number == 3, NOW).unwrap();
        assert_eq!(made, number);
        policy = next;
    }
    assert_eq!(policy.document(), "{}");
    assert_eq!(policy.default, 3);
    assert_eq!(policy.with_version("{}".into(), true, NOW), Err(Refusal::TooManyVersions));
    assert_eq!(policy.without_version(&scope(), "v3", NOW), Err(Refusal::DefaultVersion));
    assert_eq!(policy.admit_deletion(false), Err(Refusal::HasVersions));
    assert_eq!(policy.admit_deletion(true), Err(Refusal::PolicyInUse));
    let policy = policy.without_version(&scope(), "v5", NOW).unwrap();
    assert_eq!(policy.with_version("{}".into(), true, NOW).map(|(_, number)| number), Ok(6));
    for gone in ["v5", "v05x", "5", "v"] {
        assert!(matches!(policy.version(&scope(), gone), Err(Refusal::NoVersion { .. })), "{gone}");
    }
}

#[test]
fn tag_keys_are_one_without_regard_to_case() {
    let pair = |key: &str| (key.to_owned(), "v".to_owned());
    let tags = tagged(&Tags::default(), [pair("Team")], "TagsPerUser").unwrap();
    let tags = tagged(&tags, [pair("team")], "TagsPerUser").unwrap();
    assert_eq!(tags.0.keys().collect::<Vec<_>>(), ["team"]);
    let twice = tagged(&tags, [pair("a"), pair("A")], "TagsPerUser");
    assert_eq!(twice, Err(Refusal::DuplicateTag));
    assert_eq!(tagged(&tags, [pair("AWS:x")], "TagsPerUser"), Err(Refusal::ReservedTag));
    let many = (0..50).map(|number| pair(&number.to_string()));
    assert!(matches!(tagged(&tags, many, "TagsPerUser"), Err(Refusal::Quota { .. })));
    assert_eq!(untagged(&tags, &["TEAM".into()]), Tags::default());
}

#[test]
fn the_service_linked_role_is_as_aws_makes_it() {
    let role = service_linked_role(AUTOSCALING_SERVICE, None, None, 1, NOW).unwrap();
    assert_eq!(
        role.arn(&scope()),
        "arn:aws:iam::000000000000:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/\
         AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    );
    assert_eq!(role.key(), scaling_role_name());
    let attached: Vec<_> = role.grants.attached.iter().collect();
    let policy =
        "arn:aws:iam::aws:policy/aws-service-role/AWSApplicationAutoscalingSageMakerEndpointPolicy";
    assert_eq!(attached, [policy]);
    let parsed = PolicyArn::parse(&scope(), policy).unwrap();
    assert!(aws_managed(parsed.path, parsed.name).is_some_and(|policy| policy.is_for_services()));
    assert_eq!(role.admit_deletion(), Err(Refusal::Protected(role.name.clone())));
    let trust: serde_json::Value = serde_json::from_str(&role.trust).unwrap();
    assert_eq!(trust["Statement"][0]["Principal"]["Service"], AUTOSCALING_SERVICE);
    let task = DeletionTask {
        id: crate::uuid::Uuid::from_entropy(5),
        path: role.path.clone(),
        role: role.name,
        asked_at: NOW,
        used_by: Vec::new(),
    };
    assert_eq!(DeletionTask::id_of(&task.to_string()), Some(task.id));
    assert!(service_linked_role("ecs.amazonaws.com", None, None, 1, NOW).is_err());
}
