//! One client: what it subscribed to, and which events pass.
//!
//! Bound: [`MAX_ACCOUNTS`] accounts in a filter; more are ignored.

use std::collections::BTreeSet;

use nano_core::{Account, Block};
use serde_json::{Map, Value, json};

use super::message;
use crate::Dialect;
use crate::events::{Confirmation, ConfirmationCause, Event, VoteOutcome};
use crate::node::{Shared, now};

/// The options that are booleans.
const BOOLEANS: [&str; 8] = [
    "all_local_accounts",
    "include_block",
    "include_election_info",
    "include_election_info_with_votes",
    "include_indeterminate",
    "include_linked_account",
    "include_replays",
    "include_sideband_info",
];

/// Most accounts in one filter.
const MAX_ACCOUNTS: usize = 16_384;

/// Why a client is dropped.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("a frame is no JSON object")]
    NotAnObject,
    #[error("{0:?} is a text where a boolean belongs")]
    TextBoolean(String),
}

/// Subscriptions of one client; `None` where it has none.
#[derive(Debug, Default)]
pub(super) struct Client {
    dialect: Dialect,
    confirmation: Option<ConfirmationOptions>,
    vote: Option<VoteOptions>,
    new_unconfirmed_block: bool,
    telemetry: bool,
    started_election: bool,
    stopped_election: bool,
    /// Topics of the full node that never have anything to say here.
    silent: BTreeSet<String>,
}

/// What a client wants to hear of confirmations.
#[derive(Debug)]
pub(super) struct ConfirmationOptions {
    kind: Option<String>,
    /// `None` without a filter; an empty filter lets nothing pass.
    accounts: Option<BTreeSet<Account>>,
    pub(super) block: bool,
    pub(super) election_info: bool,
    pub(super) votes: bool,
    pub(super) sideband: bool,
    pub(super) linked_account: bool,
}

#[derive(Debug)]
struct VoteOptions {
    representatives: Option<BTreeSet<Account>>,
    replays: bool,
    indeterminate: bool,
}

impl Client {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            ..Self::default()
        }
    }

    /// Takes a frame; gives the answer, if it has one.
    pub(super) fn handle(&mut self, text: &str) -> Result<Option<String>, ClientError> {
        let Ok(Value::Object(request)) = serde_json::from_str(text) else {
            return Err(ClientError::NotAnObject);
        };
        let topic = request.get("topic").and_then(Value::as_str).unwrap_or("");
        let action = request.get("action").and_then(Value::as_str).unwrap_or("");
        let options = request.get("options").and_then(Value::as_object);
        if !self.dialect.takes_text_booleans() {
            require_booleans(&request, &["ack"])?;
            if let Some(options) = options {
                require_booleans(options, &BOOLEANS)?;
            }
        }
        let (ack, is_wanted) = match action {
            "ping" => ("pong", true),
            "subscribe" if self.subscribe(topic, options) => {
                ("subscribe", flag(&request, "ack", false))
            }
            "unsubscribe" if self.unsubscribe(topic) => {
                ("unsubscribe", flag(&request, "ack", false))
            }
            "update" if self.update(topic, options) => ("update", flag(&request, "ack", false)),
            _ => return Ok(None),
        };
        if !is_wanted {
            return Ok(None);
        }
        let mut answer = Map::from_iter([
            ("ack".to_owned(), json!(ack)),
            ("time".to_owned(), json!(now().number().to_string())),
        ]);
        if let Some(id) = request.get("id") {
            answer.insert("id".to_owned(), id.clone());
        }
        Ok(Some(Value::Object(answer).to_string()))
    }

    fn subscribe(&mut self, topic: &str, options: Option<&Map<String, Value>>) -> bool {
        match topic {
            "confirmation" => {
                self.confirmation = Some(ConfirmationOptions::read(options, self.dialect));
            }
            "vote" => self.vote = Some(VoteOptions::read(options)),
            "work" | "bootstrap" => {
                self.silent.insert(topic.to_owned());
            }
            _ => return self.switch(topic, true),
        }
        true
    }

    fn unsubscribe(&mut self, topic: &str) -> bool {
        match topic {
            "confirmation" => self.confirmation = None,
            "vote" => self.vote = None,
            "work" | "bootstrap" => {
                self.silent.remove(topic);
            }
            _ => return self.switch(topic, false),
        }
        true
    }

    fn switch(&mut self, topic: &str, on: bool) -> bool {
        let subscription = match topic {
            "new_unconfirmed_block" => &mut self.new_unconfirmed_block,
            "telemetry" => &mut self.telemetry,
            "started_election" => &mut self.started_election,
            "stopped_election" => &mut self.stopped_election,
            _ => return false,
        };
        *subscription = on;
        true
    }

    /// Changes the account filter of the confirmation topic.
    fn update(&mut self, topic: &str, options: Option<&Map<String, Value>>) -> bool {
        let Some(options) = options else {
            return false;
        };
        let Some(confirmation) = self
            .confirmation
            .as_mut()
            .filter(|_| topic == "confirmation")
        else {
            return false;
        };
        let filter = confirmation.accounts.get_or_insert_default();
        for account in accounts(options, "accounts_del").unwrap_or_default() {
            filter.remove(&account);
        }
        for account in accounts(options, "accounts_add").unwrap_or_default() {
            if filter.len() < MAX_ACCOUNTS {
                filter.insert(account);
            }
        }
        true
    }

    /// The frame that tells this client of an event, if it wants to know.
    pub(super) fn tell(&self, event: &Event, shared: &Shared) -> Option<String> {
        match event {
            Event::Confirmed(confirmation) => {
                let options = self.confirmation.as_ref()?;
                options
                    .wants(confirmation)
                    .then(|| message::confirmation(confirmation, options, self.dialect))
            }
            Event::Vote(vote, outcome) => {
                let options = self.vote.as_ref()?;
                options
                    .wants(&vote.representative, *outcome)
                    .then(|| message::vote(vote, *outcome, self.dialect))
            }
            Event::BlockAdded(block) => self
                .new_unconfirmed_block
                .then(|| message::new_unconfirmed_block(block, self.dialect)),
            Event::ElectionStarted(hash) => self
                .started_election
                .then(|| message::election("started_election", hash)),
            Event::ElectionStopped(hash) => self
                .stopped_election
                .then(|| message::election("stopped_election", hash)),
            Event::Telemetry(telemetry, remote) => self
                .telemetry
                .then(|| message::telemetry(telemetry, *remote)),
        }
        .filter(|_| !shared.is_stopping())
    }
}

impl ConfirmationOptions {
    fn read(options: Option<&Map<String, Value>>, dialect: Dialect) -> Self {
        let none = Map::new();
        let fields = options.unwrap_or(&none);
        let votes = flag(fields, "include_election_info_with_votes", false);
        // Options without any content are an empty filter in full nodes, too.
        let is_empty = options.is_some_and(Map::is_empty);
        Self {
            kind: fields
                .get("confirmation_type")
                .and_then(Value::as_str)
                .filter(|kind| *kind != "all")
                .map(str::to_owned),
            accounts: accounts(fields, "accounts").or_else(|| is_empty.then(BTreeSet::new)),
            block: flag(fields, "include_block", true),
            election_info: votes || flag(fields, "include_election_info", false),
            votes,
            sideband: flag(fields, "include_sideband_info", false),
            linked_account: dialect.knows_linked_account()
                && flag(fields, "include_linked_account", false),
        }
    }

    fn wants(&self, confirmation: &Confirmation) -> bool {
        let kind = message::confirmation_type(&confirmation.cause);
        let by_vote = matches!(confirmation.cause, ConfirmationCause::Quorum(_));
        let is_kind = match self.kind.as_deref() {
            None | Some("active") => true,
            // Everything confirmed here came by votes on it or on what stands on it.
            Some("inactive") => false,
            Some("active_quorum") => by_vote,
            Some(other) => other == kind,
        };
        is_kind
            && self.accounts.as_ref().is_none_or(|filter| {
                // Full nodes never deliver legacy blocks through a filter.
                let is_state = matches!(confirmation.entry.block, Block::State(_));
                let destination = confirmation.entry.destination();
                is_state
                    && (filter.contains(&confirmation.entry.account)
                        || destination.is_some_and(|to| filter.contains(&to)))
            })
    }
}

impl VoteOptions {
    fn read(options: Option<&Map<String, Value>>) -> Self {
        let none = Map::new();
        let fields = options.unwrap_or(&none);
        Self {
            representatives: accounts(fields, "representatives"),
            replays: flag(fields, "include_replays", false),
            indeterminate: flag(fields, "include_indeterminate", false),
        }
    }

    fn wants(&self, who: &Account, outcome: VoteOutcome) -> bool {
        let is_wanted = match outcome {
            VoteOutcome::Counted => true,
            VoteOutcome::Replay => self.replays,
            VoteOutcome::Indeterminate => self.indeterminate,
        };
        is_wanted
            && self
                .representatives
                .as_ref()
                .is_none_or(|filter| filter.contains(who))
    }
}

/// The accounts of an array; entries that are none are left out, as full nodes do.
fn accounts(fields: &Map<String, Value>, name: &str) -> Option<BTreeSet<Account>> {
    let values = fields.get(name)?.as_array()?;
    let parsed = values
        .iter()
        .filter_map(|value| value.as_str()?.parse().ok());
    Some(parsed.take(MAX_ACCOUNTS).collect())
}

/// Refuses a text under one of these names.
fn require_booleans(fields: &Map<String, Value>, names: &[&str]) -> Result<(), ClientError> {
    let is_text = |name: &&&str| fields.get(**name).is_some_and(Value::is_string);
    match names.iter().find(is_text) {
        Some(name) => Err(ClientError::TextBoolean((*name).to_owned())),
        None => Ok(()),
    }
}

/// A boolean, as such or as text; where texts are no booleans they do not come this far.
fn flag(fields: &Map<String, Value>, name: &str, default: bool) -> bool {
    match fields.get(name) {
        Some(Value::Bool(value)) => *value,
        Some(Value::String(text)) => text == "true",
        _ => default,
    }
}
