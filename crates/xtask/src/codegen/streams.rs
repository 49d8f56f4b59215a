//! Event streams: a member that is a stream is not part of a message, so it is taken out of its structure and named
//! by the operation instead.

use std::collections::BTreeMap;

use crate::failure::{Failure, Outcome};
use crate::model::{Model, Operation, Reference};

/// Operation to the shape that lists the events of its answer.
pub(crate) type Streams = BTreeMap<String, String>;

/// Takes the streams out of the model's structures. A request that is a stream is an error: `wire` reads none.
pub(crate) fn detach(model: &mut Model) -> Outcome<Streams> {
    let mut streams = Streams::new();
    for (name, operation) in &model.operations {
        if stream(model, operation.input.as_ref()).is_some() {
            return Err(Failure::new(format!("{name}: codegen has no requests that are streams")));
        }
        if let Some(stream) = stream(model, operation.output.as_ref()) {
            streams.insert(name.clone(), stream.to_owned());
        }
    }
    for name in streams.keys() {
        let output = model.operations.get(name).and_then(|Operation { output, .. }| output.clone());
        let Some(shape) = output.and_then(|output| model.shapes.get_mut(&output.shape)) else {
            continue;
        };
        let is_stream = |member: &Reference| streams.get(name) == Some(&member.shape);
        for member in shape.members.iter().filter(|member| is_stream(member)) {
            shape.required.remove(&member.name);
            shape.payload.take_if(|payload| *payload == member.name);
        }
        shape.members.retain(|member| !is_stream(member));
    }
    Ok(streams)
}

/// The stream among the members of a message.
fn stream<'a>(model: &'a Model, message: Option<&Reference>) -> Option<&'a str> {
    let members = &model.shapes.get(&message?.shape)?.members;
    let found = members
        .iter()
        .find(|member| model.shapes.get(&member.shape).is_some_and(|shape| shape.eventstream));
    found.map(|member| member.shape.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(input: &str, output: &str) -> Model {
        serde_json::from_value(json!({
            "source": "",
            "metadata": {"apiVersion": "", "endpointPrefix": "", "serviceId": ""},
            "operations": {"Talk": {
                "http": {"method": "POST", "requestUri": "/"},
                "input": {"shape": input}, "output": {"shape": output},
            }},
            "shapes": {
                "Plain": {"type": "structure", "members": [{"name": "Name", "shape": "Text"}]},
                "Streaming": {
                    "type": "structure", "required": ["Body", "Name"], "payload": "Body",
                    "members": [{"name": "Body", "shape": "Events"}, {"name": "Name", "shape": "Text"}],
                },
                "Events": {"type": "structure", "eventstream": true},
                "Text": {"type": "string"},
            },
            "unserved": {},
        }))
        .unwrap()
    }

    #[test]
    fn an_answers_stream_moves_to_its_operation() {
        let mut model = model("Plain", "Streaming");
        let streams = detach(&mut model).unwrap();
        assert_eq!(streams, Streams::from([("Talk".to_owned(), "Events".to_owned())]));
        let left = &model.shapes["Streaming"];
        assert_eq!(left.members.iter().map(|member| &member.name).collect::<Vec<_>>(), ["Name"]);
        assert_eq!((left.required.len(), &left.payload), (1, &None));
    }

    #[test]
    fn what_does_not_stream_stays() {
        let mut model = model("Plain", "Plain");
        assert!(detach(&mut model).unwrap().is_empty());
        assert_eq!(model.shapes["Streaming"].members.len(), 2);
    }

    #[test]
    fn a_request_that_streams_is_refused() {
        assert!(detach(&mut model("Streaming", "Plain")).is_err());
    }
}
