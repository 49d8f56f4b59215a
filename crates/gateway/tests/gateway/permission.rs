//! What no policy allows goes no further than what nobody has signed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use auth::Found;
use domain::name::EndpointName;
use gateway::{Came, Forbidden, Permission};

use crate::support::{Behaviour, ModelServer, ScaledClock, World};

/// Allows what it is told to, and sees to it that it is asked rightly.
#[derive(Default)]
struct Switch(AtomicBool);

impl Permission for Switch {
    fn invoke(
        &self,
        caller: &Found,
        endpoint: &EndpointName,
        came: Came<'_>,
    ) -> Result<(), Forbidden> {
        let rightly = !caller.access_key_id.is_empty()
            && endpoint.as_str() == "e"
            && came.from.is_loopback()
            && !came.secure
            && came.headers.contains_key("authorization");
        if rightly && self.0.load(Ordering::SeqCst) {
            Ok(())
        } else {
            Err(Forbidden::Denied(format!("not for you, {rightly}")))
        }
    }
}

#[tokio::test]
async fn a_refused_caller_reaches_no_model_server() {
    let switch = Arc::new(Switch::default());
    let world = World::guarded(Arc::clone(&switch) as _, ScaledClock::new(1.0), |_| {});
    let model = ModelServer::tcp(Behaviour::Echo).await;
    world.publish_one(model.route());
    let mut client = world.client().await;
    for allowed in [false, true, false] {
        switch.0.store(allowed, Ordering::SeqCst);
        let before = (model.connections(), model.bytes());
        let answer = client.invoke("tide").await;
        if allowed {
            assert_eq!(answer.status, 200);
        } else {
            let (status, code, message) = answer.error();
            assert_eq!((status, code.as_str()), (400, "AccessDeniedException"));
            assert_eq!(message, "not for you, true");
            assert_eq!((model.connections(), model.bytes()), before);
        }
    }
}
