//! One request for votes put to all representatives at once.
//!
//! States: asked; enough (every item has the weight that a proof aims for: as long again as that
//! took is waited for the rest, [`GRACE`] at most, [`BACKGROUND_GRACE`] where nobody waits); looked
//! up; counted. The asking is over when everybody has answered, when the grace is, or after
//! [`ANSWER`]. Who begins to wait for one that nobody waited for shortens its grace ([`Pace`]). A
//! full node drops what it has no time for without a word, so a channel that has said nothing after
//! [`AGAIN`] is asked once more. Unknown hashes, [`MAX_FETCHED`] at most, are looked up at the end
//! all at once, for as long as a whole grace: any representative can name hashes that nobody has,
//! and must not keep a person waiting with that. What is not found by then counts as unknown.
//! Channels that had time to answer are told apart by whether they did
//! ([`crate::full_node::FullNodes::balloted`]).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use nano_core::message::RequestedBlock;
use nano_core::{Account, Vote, WeightTable};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::count::{Ballot, Count, Item, Request};
use super::{Asker, Inner, Priority};
use crate::clock;
use crate::full_node::{ANSWER, Channel};
use crate::metrics;

/// When a channel that said nothing is asked once more.
const AGAIN: Duration = Duration::from_millis(900);
/// The least and the most that is waited for the rest when there is enough and somebody waits.
const GRACE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(500));
/// The same when nobody does.
const BACKGROUND_GRACE: Duration = Duration::from_secs(1);
/// Votes of all channels that may wait to be counted.
const HEARD: usize = 1_024;
/// Other blocks fetched for one ballot.
const MAX_FETCHED: usize = 16;

/// Something a channel had to say.
enum Heard {
    /// The channel was asked with time to answer.
    Asked(usize),
    Vote(usize, Arc<Vote>),
    /// Votes were lost.
    Lost(usize),
}

/// How long one ballot goes on.
#[derive(Debug)]
struct Pace {
    began: Instant,
    /// Whether somebody waits.
    waits: bool,
    /// Since when there is enough.
    enough: Option<Instant>,
}

impl Pace {
    /// When the asking ends.
    fn limit(&self) -> Instant {
        let longest = self.began + ANSWER;
        self.enough.map_or(longest, |enough| {
            let grace = match self.waits {
                true => (enough - self.began).clamp(GRACE.0, GRACE.1),
                false => BACKGROUND_GRACE,
            };
            longest.min(enough + grace)
        })
    }

    /// How long what is unknown is looked up.
    const fn look_up(&self) -> Duration {
        match self.waits {
            true => GRACE.1,
            false => BACKGROUND_GRACE,
        }
    }
}

/// Asks all voting channels for these items; the outcomes stand in their order. `urgent` tells
/// when somebody begins to wait.
pub(super) async fn run(
    inner: &Arc<Inner>,
    items: Vec<Item>,
    marker: Option<RequestedBlock>,
    token: &[RequestedBlock],
    mut urgent: watch::Receiver<bool>,
) -> Vec<Ballot> {
    let table = inner.weights.current();
    let channels = voting(inner, &table);
    let request = Request::new(items, marker, token, table.network);
    let pairs = request.pairs();
    let representatives = channels.iter().map(|(_, who)| who.clone()).collect();
    let mut count = Count::new(request, clock::now(), representatives);

    let began = Instant::now();
    let mut pace = Pace {
        began,
        waits: *urgent.borrow_and_update(),
        enough: None,
    };
    let longest = pace.limit();
    let (sender, mut inbox) = mpsc::channel(HEARD);
    let mut listening: FuturesUnordered<_> = channels
        .iter()
        .enumerate()
        .map(|(place, (channel, _))| {
            listen(
                inner,
                channel,
                place,
                pairs.clone(),
                longest,
                sender.clone(),
            )
        })
        .collect();
    drop(sender);
    let root_of = |hash: &_| inner.roots.get(hash);
    let mut asked = BTreeSet::new();
    while !count.is_all_done() {
        tokio::select! {
            heard = inbox.recv() => match heard {
                Some(Heard::Asked(place)) => drop(asked.insert(place)),
                Some(Heard::Vote(place, vote)) => count.take(place, &vote, &table, root_of),
                Some(Heard::Lost(place)) => count.spoil(place),
                None => break,
            },
            Some(()) = listening.next() => {}
            Ok(()) = urgent.changed() => pace.waits |= *urgent.borrow_and_update(),
            () = sleep_until(pace.limit()) => break,
        }
        if pace.enough.is_none() && count.is_enough(&table) {
            pace.enough = Some(Instant::now());
        }
    }
    drop(listening);
    for place in asked.into_iter().filter(|_| count.tells_who_answers()) {
        let answered = count.has_answered(place);
        // Who was not waited for to the end may have been about to answer.
        if let Some((channel, _)) = channels
            .get(place)
            .filter(|_| answered || pace.enough.is_none())
        {
            inner.full_nodes.balloted(channel, answered);
        }
    }
    let asker = Asker {
        inner: Arc::clone(inner),
        priority: match pace.waits {
            true => Priority::Waiting,
            false => Priority::Background,
        },
    };
    let unknown = count.unknown(root_of).into_iter().take(MAX_FETCHED);
    // Who does not know one leaves its root unknown, which is what the count goes by.
    let _ = timeout(
        pace.look_up(),
        join_all(unknown.map(|hash| asker.block(hash))),
    )
    .await;
    count.finish(root_of)
}

/// The channels behind which the table knows somebody, in a fixed order.
fn voting(inner: &Inner, table: &WeightTable) -> Vec<(Arc<Channel>, BTreeSet<Account>)> {
    let mut channels: Vec<_> = inner
        .full_nodes
        .voting_channels()
        .into_iter()
        .filter_map(|channel| {
            let mut who = channel.representatives();
            who.retain(|who| !table.weight_of(who).is_zero());
            (!who.is_empty()).then_some((channel, who))
        })
        .collect();
    channels.sort_by_key(|(channel, _)| channel.id());
    channels
}

/// Asks one channel and passes on what it says until `limit`.
async fn listen(
    inner: &Inner,
    channel: &Arc<Channel>,
    place: usize,
    pairs: Vec<RequestedBlock>,
    limit: Instant,
    sender: mpsc::Sender<Heard>,
) {
    let Ok(Some(_slot)) = timeout_at(limit, channel.slot()).await else {
        return;
    };
    let mut votes = channel.votes();
    let mut lost = false;
    let mut again = Some(Instant::now() + AGAIN);
    if channel.confirm(pairs.clone()).is_err() {
        return;
    }
    let in_time = Instant::now() + AGAIN <= limit;
    if in_time && sender.send(Heard::Asked(place)).await.is_err() {
        return;
    }
    let asked: BTreeSet<_> = pairs.iter().map(|pair| pair.hash).collect();
    loop {
        let until = again.map_or(limit, |again| again.min(limit));
        match votes.next(until).await {
            Some(vote) => {
                if vote.hashes.iter().any(|hash| asked.contains(hash)) {
                    again = None;
                }
                if sender.send(Heard::Vote(place, vote)).await.is_err() {
                    return;
                }
            }
            None if again.take().is_some() && Instant::now() < limit => {
                metrics::count(&inner.metrics.full_node_asks, "votes-again");
                if channel.confirm(pairs.clone()).is_err() {
                    return;
                }
            }
            None => return,
        }
        if !lost && votes.has_lost() {
            lost = true;
            if sender.send(Heard::Lost(place)).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_begins_to_wait_shortens_the_grace_of_a_ballot_under_way() {
        let began = Instant::now();
        let enough = began + Duration::from_millis(200);
        let mut pace = Pace {
            began,
            waits: false,
            enough: None,
        };
        assert_eq!(pace.limit(), began + ANSWER);
        pace.enough = Some(enough);
        assert_eq!(pace.limit(), enough + BACKGROUND_GRACE);
        pace.waits = true;
        assert_eq!(pace.limit(), enough + Duration::from_millis(200));
        pace.enough = Some(began);
        assert_eq!(pace.limit(), began + GRACE.0);
    }
}
