//! Access keys. A secret is shown once, when its key is made.

use domain::iam::{AccessKey, Owner, Refusal, Status, User, access_key_id, secret};
use store::{Changes, State};
use wire::iam::{
    AccessKeyLastUsed, CreateAccessKeyRequest, CreateAccessKeyResponse, DeleteAccessKeyRequest,
    GetAccessKeyLastUsedRequest, GetAccessKeyLastUsedResponse, ListAccessKeysRequest,
    ListAccessKeysResponse, StatusType, UpdateAccessKeyRequest,
};

use super::caller::{Subject, subject};
use super::page::Page;
use super::shown;
use crate::{Context, Error};

/// What stands where a key was never used.
const NEVER: &str = "N/A";

fn owner(subject: &Subject) -> Owner {
    match subject {
        Subject::Root => Owner::Root,
        Subject::User(user) => Owner::User(user.key()),
    }
}

pub(super) async fn create_access_key(
    cx: &Context,
    input: CreateAccessKeyRequest,
) -> Result<CreateAccessKeyResponse, Error> {
    let (own, now) = (cx.clone(), cx.clock.now());
    let id = access_key_id((cx.entropy)());
    let secret = secret([(cx.entropy)(), (cx.entropy)()]);
    cx.decide(move |state| {
        let subject = subject(&own, state, input.user_name.as_ref())?;
        let changes = match &subject {
            Subject::User(user) => Changes::none().put(user.hold(id.clone())?),
            Subject::Root => {
                AccessKey::admit(keys_of(state, &subject).len())?;
                Changes::none()
            }
        };
        let key = AccessKey {
            id,
            secret,
            owner: owner(&subject),
            status: Status::Active,
            created_at: now,
        };
        let access_key = wire::iam::AccessKey {
            user_name: shown::owner(state, &key.owner),
            access_key_id: key.id.clone(),
            status: StatusType::Active,
            secret_access_key: key.secret.clone(),
            create_date: Some(shown::time(now)),
        };
        Ok((changes.put(key), CreateAccessKeyResponse { access_key }))
    })
    .await
}

fn keys_of<'a>(state: &'a State, subject: &Subject) -> Vec<&'a AccessKey> {
    match subject {
        Subject::User(user) => {
            let keys = user.access_keys.iter().filter_map(|id| state.access_keys.get(id));
            keys.map(|key| &**key).collect()
        }
        Subject::Root => {
            let keys = state.access_keys.values().filter(|key| key.owner == Owner::Root);
            keys.map(|key| &**key).collect()
        }
    }
}

pub(super) fn list_access_keys(
    cx: &Context,
    input: &ListAccessKeysRequest,
) -> Result<ListAccessKeysResponse, Error> {
    let state = cx.store.state();
    let subject = subject(cx, &state, input.user_name.as_ref())?;
    let page = Page::read("access-keys", input.max_items, input.marker.as_deref())?;
    let keys = keys_of(&state, &subject).into_iter();
    let page = page.of(keys.map(|key| (key.id.clone(), shown::access_key(&state, key))));
    Ok(ListAccessKeysResponse {
        access_key_metadata: page.records,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// A key of the subject. Another's is not found.
fn find<'a>(state: &'a State, subject: &Subject, id: &str) -> Result<&'a AccessKey, Refusal> {
    let found = state.access_keys.get(id).filter(|key| key.owner == owner(subject));
    found.map(|key| &**key).ok_or_else(|| Refusal::NoAccessKey(id.to_owned()))
}

pub(super) async fn update_access_key(
    cx: &Context,
    input: UpdateAccessKeyRequest,
) -> Result<(), Error> {
    let status = match input.status {
        StatusType::Active => Status::Active,
        StatusType::Inactive => Status::Inactive,
        StatusType::Expired => {
            return Err(
                super::Refusal::Unsupported("the status Expired, which AWS alone sets").into()
            );
        }
    };
    let own = cx.clone();
    cx.decide(move |state| {
        let subject = subject(&own, state, input.user_name.as_ref())?;
        let key = find(state, &subject, &input.access_key_id)?;
        Ok((Changes::none().put(AccessKey { status, ..key.clone() }), ()))
    })
    .await
}

pub(super) async fn delete_access_key(
    cx: &Context,
    input: DeleteAccessKeyRequest,
) -> Result<(), Error> {
    let own = cx.clone();
    cx.decide(move |state| {
        let subject = subject(&own, state, input.user_name.as_ref())?;
        let id = find(state, &subject, &input.access_key_id)?.id.clone();
        let changes = match &subject {
            Subject::Root => Changes::none(),
            Subject::User(user) => {
                let mut user = User::clone(user);
                user.access_keys.remove(&id);
                Changes::none().put(user)
            }
        };
        let changes = changes.delete::<domain::iam::LastUsed>(id.clone());
        Ok((changes.delete::<AccessKey>(id), ()))
    })
    .await
}

pub(super) fn get_access_key_last_used(
    cx: &Context,
    input: &GetAccessKeyLastUsedRequest,
) -> Result<GetAccessKeyLastUsedResponse, Error> {
    let state = cx.store.state();
    let id = &input.access_key_id;
    let key = state.access_keys.get(id).ok_or_else(|| Refusal::NoAccessKey(id.clone()))?;
    let used = state.last_used.get(id);
    let text = |text: Option<&String>| text.map_or_else(|| NEVER.to_owned(), String::clone);
    Ok(GetAccessKeyLastUsedResponse {
        user_name: Some(shown::owner(&state, &key.owner)),
        access_key_last_used: Some(AccessKeyLastUsed {
            last_used_date: used.map(|used| shown::time(used.at)),
            service_name: text(used.map(|used| &used.service)),
            region: text(used.map(|used| &used.region)),
        }),
    })
}
