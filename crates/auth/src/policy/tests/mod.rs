//! The language as AWS documents it, in tables; a second evaluator that is slow and plain; hostile texts.

mod allocation;
mod assumption;
mod conditions;
mod differential;
mod documented;
mod documents;
mod hostile;
mod malformed;
mod naive;
mod rules;
mod trust;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;

const ACCOUNT: &str = "000000000000";
const ENDPOINT: &str = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/forecast";

/// Condition keys and their values.
#[derive(Debug, Clone, Default)]
struct Keys(BTreeMap<String, Vec<String>>);

impl Keys {
    fn new(keys: &[(&str, &[&str])]) -> Self {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        Self(keys.iter().map(|(key, values)| (key.to_lowercase(), owned(values))).collect())
    }
}

impl Context for Keys {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        let values = self.0.get(key)?;
        Some(match &values[..] {
            [value] => Values::from(value.as_str()),
            values => Values::Many(values.iter().map(|value| Cow::from(value.as_str())).collect()),
        })
    }
}

fn document(value: &Value) -> Arc<Document> {
    let parsed = Document::parse(&value.to_string(), Kind::Managed);
    Arc::new(parsed.unwrap_or_else(|malformed| panic!("{malformed}: {value}")))
}

/// A document of these statements.
fn policy(statements: &Value) -> Arc<Document> {
    document(&json!({"Version": "2012-10-17", "Statement": statements}))
}

fn statement(effect: &str, action: &str, resource: &str) -> Value {
    json!({"Effect": effect, "Action": action, "Resource": resource})
}

fn alice() -> Caller<'static> {
    Caller {
        arn: "arn:aws:iam::000000000000:user/team/alice",
        account: ACCOUNT,
        user_id: "AIDAALICEALICEALICE00",
        kind: CallerKind::User { name: "alice" },
    }
}

fn session() -> Caller<'static> {
    Caller {
        arn: "arn:aws:sts::000000000000:assumed-role/Scaler/nightly",
        account: ACCOUNT,
        user_id: "AROASCALERSCALERSCA00:nightly",
        kind: CallerKind::Session { role_arn: "arn:aws:iam::000000000000:role/ops/Scaler" },
    }
}

fn root() -> Caller<'static> {
    Caller {
        arn: "arn:aws:iam::000000000000:root",
        account: ACCOUNT,
        user_id: ACCOUNT,
        kind: CallerKind::Root,
    }
}

/// Decides on one resource with these condition keys.
fn decide(policies: &Policies<'_>, caller: Caller<'_>, ask: (&str, &str), keys: &Keys) -> Decision {
    let (action, resource) = ask;
    let action = Action::parse(action).unwrap();
    evaluate(policies, &Request { caller, action, resources: &[Arn::new(resource)], context: keys })
}
