//! Lists of sends that were not received yet, in each of their three forms.

use std::cmp::Reverse;

use serde_json::{Map, Value, json};

use super::{Refusal, Request, Waiting};
use crate::Raw;

/// What a client asked to see.
pub(super) struct Shown {
    count: usize,
    threshold: Raw,
    source: bool,
    sorting: bool,
}

impl Shown {
    pub(super) fn read(request: &Request) -> Result<Self, Refusal> {
        Ok(Self {
            count: request.count()?,
            threshold: request.threshold()?,
            source: request.flag("source"),
            sorting: request.flag("sorting"),
        })
    }

    /// The list as the C++ node writes it: an empty one is an empty text.
    pub(super) fn list(&self, sends: &[Waiting]) -> Value {
        let mut sends: Vec<&Waiting> = sends
            .iter()
            .filter(|send| send.amount >= self.threshold)
            .collect();
        // Full nodes list by hash.
        sends.sort_by_key(|send| *send.hash.as_bytes());
        sends.truncate(self.count);
        if sends.is_empty() {
            return json!("");
        }
        if self.sorting {
            sends.sort_by_key(|send| Reverse(send.amount));
        }
        if self.source {
            object(
                &sends,
                |send| json!({ "amount": send.amount, "source": send.source }),
            )
        } else if self.sorting || !self.threshold.is_zero() {
            object(&sends, |send| json!(send.amount))
        } else {
            sends.iter().map(|send| json!(send.hash)).collect()
        }
    }
}

fn object(sends: &[&Waiting], describe: impl Fn(&Waiting) -> Value) -> Value {
    let fields = sends
        .iter()
        .map(|send| (send.hash.to_string(), describe(send)));
    Value::Object(fields.collect::<Map<_, _>>())
}
