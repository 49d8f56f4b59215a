//! What a thread remembers never outlives a change: requests are admitted before it and verified after it, and begun after it.

use std::sync::{Arc, mpsc};
use std::thread;

use auth::sigv4::sha256;
use auth::{Claim, Credentials, Expectation, Payload, SecretKey, Signer, SigningKeys};
use domain::iam::{AccessKey, Group, NameKey, Status};
use domain::time::{Clock, Timestamp};
use http::Request;
use http::request::Parts;
use store::Changes;

use super::change::allow;
use super::{Asked, Authority, Still, World, key, key_id, policy, user};
use crate::authorize::keyring::Held;

/// The answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Allowed,
    Denied,
    UnknownKey,
}

/// An invocation of `e` that is signed with ann's key.
fn signed() -> Parts {
    let mut request =
        Request::post("/endpoints/e/invocations").header("host", "h").body(()).unwrap();
    let secret = SecretKey::new("secret");
    let signer = Signer {
        access_key_id: &key_id("ann"),
        secret: &secret,
        session_token: None,
        region: "us-east-1",
        service: "sagemaker",
    };
    auth::sign(&mut request, &sha256(b""), &signer, now()).unwrap();
    request.into_parts().0
}

fn now() -> i64 {
    Still.wall().as_millis() / 1000
}

fn admit<'c, 'a>(
    authority: &Authority,
    claim: &'c Claim<'a>,
) -> Result<auth::Admitted<'c, 'a>, Answer> {
    let expect = Expectation {
        regions: &["us-east-1"],
        services: &["sagemaker"],
        now: now(),
        skew_secs: 300,
    };
    claim.admit(authority, &expect).map_err(|_| Answer::UnknownKey)
}

/// What the gateway does when the body is there.
fn verify(authority: &Authority, admitted: auth::Admitted<'_, '_>) -> Answer {
    let payload = Payload::Sha256(sha256(b""));
    let Ok(found) = admitted.verify(payload, authority, &mut SigningKeys::new()) else {
        return Answer::UnknownKey;
    };
    match authority.invoke(&found, "e", Asked::default) {
        Ok(()) => Answer::Allowed,
        Err(_) => Answer::Denied,
    }
}

fn whole(authority: &Authority) -> Answer {
    let parts = signed();
    let claim = Claim::parse(&parts).unwrap();
    admit(authority, &claim).map_or_else(|answer| answer, |admitted| verify(authority, admitted))
}

/// What there is of ann, and what each change makes of it.
#[expect(clippy::struct_excessive_bools, reason = "each is a change of its own")]
#[derive(Debug, Clone, Default)]
struct Ann {
    key: Option<Status>,
    allowed: bool,
    denied: bool,
    member: bool,
    team_allows: bool,
}

type Change = (&'static str, fn(&mut Ann));

const CHANGES: [Change; 11] = [
    ("her key is switched on", |ann| ann.key = Some(Status::Active)),
    ("her key is switched off", |ann| ann.key = Some(Status::Inactive)),
    ("her key is deleted", |ann| ann.key = None),
    ("she is allowed", |ann| ann.allowed = true),
    ("she is not allowed", |ann| ann.allowed = false),
    ("she is denied", |ann| ann.denied = true),
    ("she is not denied", |ann| ann.denied = false),
    ("she joins", |ann| ann.member = true),
    ("she leaves", |ann| ann.member = false),
    ("her group is allowed", |ann| ann.team_allows = true),
    ("her group is not allowed", |ann| ann.team_allows = false),
];

impl Ann {
    fn answer(&self) -> Answer {
        match self.key {
            Some(Status::Active) if self.denied => Answer::Denied,
            Some(Status::Active) if self.allowed || self.member && self.team_allows => {
                Answer::Allowed
            }
            Some(Status::Active) => Answer::Denied,
            Some(Status::Inactive) | None => Answer::UnknownKey,
        }
    }

    /// Writes what differs.
    fn changes(&self, before: &Self) -> Changes {
        let mut changes = Changes::none();
        if self.key != before.key {
            changes = match self.key {
                Some(status) => changes.put(key("ann", status)),
                None => changes.delete::<AccessKey>(key_id("ann")),
            };
        }
        let grants = |ann: &Self| (ann.allowed, ann.denied, ann.member);
        if grants(self) != grants(before) {
            let texts = [(self.allowed, allow()), (self.denied, policy("Deny", "*", "*"))];
            let texts: Vec<_> =
                texts.into_iter().filter(|(has, _)| *has).map(|(_, text)| text).collect();
            let mut ann = user("ann", &texts);
            ann.groups.extend(self.member.then(|| NameKey::new("team")));
            changes = changes.put(ann);
        }
        if self.team_allows != before.team_allows {
            let mut team = Group::new("team".into(), "/".into(), 2, Still.now());
            team.grants.inline.extend(self.team_allows.then(|| ("p".to_owned(), allow())));
            changes = changes.put(team);
        }
        changes
    }
}

/// Changes what there is of ann while a request of hers is under way, and asks again when it is changed.
async fn change(world: &World, what: &str, before: &Ann, after: Ann) -> Ann {
    let parts = signed();
    let claim = Claim::parse(&parts).unwrap();
    let admitted = admit(&world.authority, &claim);
    world.change(after.changes(before)).await;
    if let Ok(admitted) = admitted {
        let answer = verify(&world.authority, admitted);
        assert_eq!(answer, after.answer(), "admitted before: {what}, {after:?}");
    }
    assert_eq!(whole(&world.authority), after.answer(), "{what}, {after:?}");
    after
}

#[tokio::test]
async fn each_change_after_each_other_counts_for_what_was_admitted_before_it() {
    let world = World::of_ann(&[]).await;
    let nobody = Ann { key: Some(Status::Active), ..Ann::default() };
    let allowed = Ann { allowed: true, ..nobody.clone() };
    let by_team = Ann { member: true, team_allows: true, ..nobody.clone() };
    let mut ann = nobody.clone();
    let mut turned = 0;
    for start in [nobody, allowed, by_team] {
        for (first, then) in CHANGES.iter().flat_map(|first| CHANGES.map(|then| (first, then))) {
            ann = change(&world, "a new start", &ann, start.clone()).await;
            for (what, edit) in [*first, then] {
                let mut after = ann.clone();
                edit(&mut after);
                turned += usize::from(after.answer() != ann.answer());
                ann = change(&world, what, &ann, after).await;
            }
        }
    }
    assert!(turned > 100, "{turned} changes of the answer");
}

#[tokio::test]
async fn a_change_counts_on_every_thread() {
    let world = World::of_ann(&[]).await;
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (ask, asked) = mpsc::sync_channel::<()>(1);
            let (tell, told) = mpsc::sync_channel(1);
            let authority = world.authority.clone();
            let thread = thread::spawn(move || {
                while asked.recv().is_ok() {
                    tell.send(whole(&authority)).unwrap();
                }
            });
            (ask, told, thread)
        })
        .collect();
    for round in 0..40 {
        // By turns to one thread less, so that some have not seen every image.
        let passed_by = round % 4;
        let allowed = round % 2 == 0;
        let texts = if allowed { vec![allow()] } else { Vec::new() };
        world.change(Changes::none().put(user("ann", &texts))).await;
        for (number, (ask, told, _)) in threads.iter().enumerate() {
            if number != passed_by {
                ask.send(()).unwrap();
                let expected = if allowed { Answer::Allowed } else { Answer::Denied };
                assert_eq!(told.recv().unwrap(), expected, "round {round}, thread {number}");
            }
        }
    }
    for (ask, _, thread) in threads {
        drop(ask);
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn what_is_not_iams_leaves_remembered_what_was_found() {
    let world = World::of_ann(&[allow()]).await;
    let ann = key_id("ann");
    assert_eq!(whole(&world.authority), Answer::Allowed);
    let first = world.authority.find(&ann).unwrap();
    assert!(world.authority.holds(&first));

    world.change(Changes::none().keep_time(Timestamp::from_millis(1))).await;
    assert!(!world.authority.holds(&first), "there is a new image");
    let second = world.authority.find(&ann).unwrap();
    let (old, new) = (first.holder::<Held>().unwrap(), second.holder::<Held>().unwrap());
    assert!(Arc::ptr_eq(&old.standing, &new.standing) && new.may_invoke("e"));

    world.change(Changes::none().put(user("ann", &[]))).await;
    let third = world.authority.find(&ann).unwrap();
    assert!(!third.holder::<Held>().unwrap().may_invoke("e"));
}

#[tokio::test]
async fn roots_own_key_always_holds() {
    let world = World::of_ann(&[]).await;
    let root = world.authority.find("AKIAROOT").unwrap();
    world.change(Changes::none().put(user("bob", &[]))).await;
    assert!(world.authority.holds(&root));
    assert_eq!(world.authority.invoke(&root, "e", Asked::default), Ok(()));
    // A key that is no record of ours is nothing to rely on.
    let stranger = Arc::new(auth::Credential { access_key_id: "AKIAX".into(), ..(*root).clone() });
    assert!(!world.authority.holds(&stranger.into()));
}
