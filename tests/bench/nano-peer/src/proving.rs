//! What proofs cost: messages written to full nodes, time and bytes.

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::Range;
use std::time::{Duration, Instant};

use bridge_server::prove::{Proven, Wanted};
use bridge_server::run::Bridge;
use dev_node::{DevKeys, DevNode};
use nano_core::{PrivateKey, Raw};
use tokio::time::timeout;

use crate::Outcome;

/// The longest that anything may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// Accounts proven in the background.
pub(crate) struct Cold {
    pub(crate) per_second: f64,
    pub(crate) messages_each: f64,
    pub(crate) bytes_median: usize,
    pub(crate) bytes_p95: usize,
}

/// One account, nobody else asking: medians.
pub(crate) struct Single {
    pub(crate) milliseconds: f64,
    pub(crate) messages: u64,
}

/// Counters of these families by name and labels, as `/metrics` tells them.
fn counters(bridge: &Bridge, families: &[&str]) -> Outcome<BTreeMap<String, u64>> {
    let text = bridge.metrics().text().ok_or("no metrics")?;
    let mut counters = BTreeMap::new();
    for line in text.lines() {
        let (name, value) = line.rsplit_once(' ').unwrap_or_default();
        if families.iter().any(|family| name.starts_with(family)) {
            counters.insert(name.to_owned(), value.parse()?);
        }
    }
    Ok(counters)
}

/// Messages written to full nodes so far, by kind, upkeep too.
fn by_kind(bridge: &Bridge) -> Outcome<BTreeMap<String, u64>> {
    let families = [
        "nanonet_full_node_requests_total{",
        "nanonet_full_node_upkeep_total{",
    ];
    counters(bridge, &families)
}

/// All of them.
fn messages(bridge: &Bridge) -> Outcome<u64> {
    Ok(by_kind(bridge)?.values().sum())
}

/// One counter, zero before it is first counted.
fn counter(bridge: &Bridge, family: &str, kind: &str) -> Outcome<u64> {
    let kind = format!("\"{kind}\"");
    let counters = counters(bridge, &[family])?;
    let mut counters = counters.iter();
    let counter = counters.find(|(name, _)| name.contains(&kind));
    Ok(counter.map_or(0, |(_, count)| *count))
}

/// Proofs made of blocks and votes of the live stream, and proofs dated afterwards.
fn live_and_dated(bridge: &Bridge) -> Outcome<[u64; 2]> {
    Ok([
        counter(bridge, "nanonet_proofs_total{", "live")?,
        counter(bridge, "nanonet_renewals_total{", "renewed")?,
    ])
}

/// Says for people where the messages since `before` went.
fn explain(stage: &str, bridge: &Bridge, before: &BTreeMap<String, u64>) -> Outcome<()> {
    for (kind, now) in by_kind(bridge)? {
        let more = now - before.get(&kind).copied().unwrap_or(0);
        if more > 0 {
            eprintln!("{stage}: {more:>6} {kind}");
        }
    }
    Ok(())
}

fn proof_bytes(proven: &Proven) -> Outcome<usize> {
    match proven {
        Proven::Opened(record) => Ok(record.proof.to_bytes()?.len()),
        Proven::Unopened(_) => Err("an account of the ledger was said to be unopened".into()),
        Proven::Diverged(_) => Err("an account of the ledger was said to be forked".into()),
    }
}

/// Each account of `indexes` asked for alone.
pub(crate) async fn single(bridge: &Bridge, indexes: Range<u32>) -> Outcome<Single> {
    let (mut times, mut counts) = (Vec::new(), Vec::new());
    for index in indexes {
        let account = DevKeys::holder(index).account();
        let (before, begin) = (messages(bridge)?, Instant::now());
        let proven = bridge.prover().resolve(account, None).await;
        proof_bytes(&proven.map_err(|failure| format!("{account}: {failure:?}"))?)?;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        counts.push(messages(bridge)? - before);
    }
    times.sort_by(f64::total_cmp);
    counts.sort_unstable();
    let middle = times.len() / 2;
    Ok(Single {
        milliseconds: *times.get(middle).ok_or("nothing was asked")?,
        messages: *counts.get(middle).ok_or("nothing was asked")?,
    })
}

/// `count` accounts never seen before, as a backfill asks for them.
pub(crate) async fn cold(bridge: &Bridge, count: u32) -> Outcome<Cold> {
    let wanted: Vec<Wanted> = (0..count)
        .map(|index| Wanted::from(DevKeys::holder(index).account()))
        .collect();
    let (before, begin) = (messages(bridge)?, Instant::now());
    let answers = timeout(DEADLINE, bridge.prover().prove_many(wanted)).await?;
    let took = begin.elapsed().as_secs_f64();
    let asked = messages(bridge)? - before;
    let mut bytes = Vec::new();
    for (account, answer) in answers {
        bytes.push(proof_bytes(
            &answer.map_err(|failure| format!("{account}: {failure:?}"))?,
        )?);
    }
    bytes.sort_unstable();
    let at = |percent: usize| bytes.get(bytes.len() * percent / 100).copied();
    Ok(Cold {
        per_second: f64::from(count) / took,
        messages_each: asked as f64 / f64::from(count),
        bytes_median: at(50).ok_or("nothing was proven")?,
        bytes_p95: at(95).ok_or("nothing was proven")?,
    })
}

/// Messages per proof of accounts whose newest block and its votes came by the live stream. Each of
/// `senders`, which were proven before, sends to an account of its own, which is opened with it: so
/// every account has one new block, and its proof one date, that is not overtaken by the next.
/// Counted are the proofs that the bridge says it made of the live stream, and each has to be dated.
pub(crate) async fn live(bridge: &Bridge, dev: &DevNode, senders: Range<u32>) -> Outcome<f64> {
    let (before, kinds) = (messages(bridge)?, by_kind(bridge)?);
    let [live_before, dated_before] = live_and_dated(bridge)?;
    let begin = Instant::now();
    let mut accounts = Vec::new();
    for index in senders {
        let mut seed = [0xA0; 32];
        seed[..4].copy_from_slice(&index.to_be_bytes());
        let (sender, receiver) = (DevKeys::holder(index), PrivateKey::from_bytes(seed));
        accounts.extend([sender.account(), receiver.account()]);
        let to = receiver.account();
        let send = dev.wallet(sender).send(to, Raw::new(1)).await?;
        let representative = Some(DevKeys::representative(0).account());
        dev.wallet(receiver).receive(send, representative).await?;
    }
    let count = u64::try_from(accounts.len())?;
    let done = async {
        loop {
            let [live, dated] = live_and_dated(bridge)?;
            if live - live_before >= count && dated - dated_before >= count {
                return Ok::<(), Box<dyn Error>>(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let done = timeout(DEADLINE, done).await;
    explain("live", bridge, &kinds)?;
    eprintln!("live: {count} accounts, {:?}", begin.elapsed());
    let [live, dated] = live_and_dated(bridge)?;
    let (live, dated) = (live - live_before, dated - dated_before);
    done.map_err(|_| format!("of {count} accounts {live} were proven and {dated} dated"))??;
    // A block that was met before its votes came may be proven twice: its messages count, the
    // second proof does not.
    let heads = accounts.iter().map(|account| {
        let known = dev.account_info(account);
        known.map(|known| known.head)
    });
    let expected: Vec<_> = heads.collect();
    if bridge.node().held(accounts).await != Some(expected) {
        return Err("an account is not held as the full node has it".into());
    }
    Ok((messages(bridge)? - before) as f64 / count as f64)
}
