//! Collects what was checked and what failed.

use std::fmt::{Debug, Display};

use serde::Serialize;

/// Failures listed at most; beyond it they are only counted, so that one broken function does not
/// drown the first message.
const LISTED: usize = 50;

/// What came of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The topic that was run.
    pub topic: String,
    /// Comparisons made.
    pub checks: u32,
    /// One line for each comparison that failed, at most 50 and then one with the number left out.
    pub failures: Vec<String>,
}

impl Report {
    /// The report as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| {
            format!("{{\"topic\":\"?\",\"checks\":0,\"failures\":[\"report: {error:?}\"]}}")
        })
    }
}

/// The running count of a topic.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    row: String,
    done: u32,
    failures: Vec<String>,
    unlisted: u32,
}

impl Checks {
    /// Calls `check` for each row of a section; a section without rows is a failure. `name` labels
    /// the rows' failures, with the row's number from 0.
    pub(crate) fn rows<T>(
        &mut self,
        section: &str,
        rows: &[T],
        mut check: impl FnMut(&mut Self, &T),
    ) {
        self.row = section.to_owned();
        self.holds("has rows", !rows.is_empty());
        for (number, row) in rows.iter().enumerate() {
            self.row = format!("{section}[{number}]");
            check(self, row);
        }
        self.row.clear();
    }

    /// Compares.
    pub(crate) fn equal<T: PartialEq + Debug>(&mut self, what: &str, got: T, expected: T) {
        self.done += 1;
        if got != expected {
            self.fail(format!("{what}: got {got:?}, expected {expected:?}"));
        }
    }

    /// Checks a condition.
    pub(crate) fn holds(&mut self, what: &str, condition: bool) {
        self.done += 1;
        if !condition {
            self.fail(format!("{what}: does not hold"));
        }
    }

    /// Unwraps what has to succeed; an error is a failure.
    pub(crate) fn ok<T, E: Display>(&mut self, what: &str, result: Result<T, E>) -> Option<T> {
        self.done += 1;
        result
            .map_err(|error| self.fail(format!("{what}: {error}")))
            .ok()
    }

    /// Notes a failure.
    pub(crate) fn fail(&mut self, message: String) {
        if self.failures.len() < LISTED {
            self.failures.push(format!("{} {message}", self.row));
        } else {
            self.unlisted += 1;
        }
    }

    pub(crate) fn into_report(mut self, topic: &str) -> Report {
        if self.unlisted > 0 {
            self.failures
                .push(format!("and {} failures more", self.unlisted));
        }
        Report {
            topic: topic.to_owned(),
            checks: self.done,
            failures: self.failures,
        }
    }
}
