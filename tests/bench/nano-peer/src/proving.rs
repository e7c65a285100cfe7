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

/// Whether proofs wait to be dated.
fn has_renewals(bridge: &Bridge) -> Outcome<bool> {
    let (mut queued, mut ended) = (0, 0);
    for (name, count) in counters(bridge, &["nanonet_renewals_total{"])? {
        if name.contains("\"queued\"") {
            queued += count;
        } else if !name.contains("\"dropped\"") {
            ended += count;
        }
    }
    Ok(ended < queued)
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

/// Messages per proof of `count` accounts whose newest block came by the live stream.
pub(crate) async fn live(bridge: &Bridge, dev: &DevNode, count: u32) -> Outcome<f64> {
    let node = bridge.node();
    let (before, kinds) = (messages(bridge)?, by_kind(bridge)?);
    let begin = Instant::now();
    let held_before = node.status().await.map_or(0, |status| status.records);
    let faucet = dev.faucet();
    for index in 0..count {
        let mut seed = [0xA0; 32];
        seed[..4].copy_from_slice(&index.to_be_bytes());
        let key = PrivateKey::from_bytes(seed);
        let amount = Raw::new(1_000 + u128::from(index));
        let send = faucet.send(key.account(), amount).await?;
        dev.wallet(key)
            .receive(send, Some(DevKeys::representative(0).account()))
            .await?;
    }
    let held = async {
        loop {
            let records = node.status().await.map(|status| status.records);
            if records.is_some_and(|records| records >= held_before + count) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, held).await?;
    // The dates of the last ones, too.
    let dated = async {
        while has_renewals(bridge)? {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok::<(), Box<dyn Error>>(())
    };
    timeout(DEADLINE, dated).await??;
    explain("live", bridge, &kinds)?;
    eprintln!("live: {:?}", begin.elapsed());
    // Each round proves the receiver's account and the faucet's.
    Ok((messages(bridge)? - before) as f64 / f64::from(2 * count))
}
