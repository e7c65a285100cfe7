//! A connection that says anything, for [`crate::decoders`].

use std::net::{Ipv4Addr, SocketAddr};

use nano_core::message::{AscPullQuestion, PullTarget};
use nano_core::{Network, PrivateKey, WeightTable};
use tokio::io::{join, sink};
use tokio::sync::mpsc;

use super::book::{Book, Limits};
use super::channel::{ANSWER, Channel, ChannelId};
use super::settings::{Setting, Timing};
use super::shared::Shared;
use super::wire::{Patience, read_message};
use super::{ChannelError, handshake};
use crate::metrics::{Metrics, counted};
use crate::weights::Weights;

/// Bytes of a full node. First byte: 0 on an open channel, accepted if they are whole messages; 1
/// as an answer to our handshake, never accepted, since our cookie is random; 2 as a handshake with
/// us, accepted if we answer its query.
pub fn full_node_stream(bytes: &[u8]) -> bool {
    let Some((kind, bytes)) = bytes.split_first() else {
        return false;
    };
    crate::decoders::wait(async {
        let network = Network::Dev;
        let (live, _) = mpsc::channel(16);
        let setting = Setting {
            network,
            metrics: Metrics::default(),
            live,
            timing: Timing::of(network),
        };
        let table = WeightTable {
            network,
            ..WeightTable::live_snapshot()
        };
        let book = Book::new(Limits::of(network), [1; 32]);
        let shared = Shared::new(setting, Weights::new(table, "a test"), book, None);
        let Ok(own) = shared.own_id() else {
            return false;
        };
        let mut stream = join(bytes, sink());
        match kind % 3 {
            0 => matches!(serve(bytes, &shared).await, ChannelError::Closed(_)),
            1 => {
                let greeted = handshake::greet(&mut stream, &own, &shared.setting).await;
                assert!(greeted.is_err(), "a recorded answer fits no fresh cookie");
                false
            }
            _ => {
                let welcomed = handshake::welcome(&mut stream, &own, &shared.setting).await;
                assert!(welcomed.is_err(), "a recorded answer fits no fresh cookie");
                counted(&shared.setting.metrics.full_node_handshake, "answer-sent") > 0
            }
        }
    })
}

/// How many messages these bytes hold, read as an open channel reads them; `None` where it would
/// end before the bytes do. For measuring how fast that is.
#[must_use]
pub fn messages_in(mut bytes: &[u8]) -> Option<u32> {
    let patience = Patience {
        first: ANSWER,
        rest: ANSWER,
    };
    let mut count = 0;
    let whole = crate::decoders::wait(async {
        loop {
            match read_message(&mut bytes, Network::Dev, patience, "a message").await {
                Ok((message, _)) => {
                    std::hint::black_box(message);
                    count += 1;
                }
                Err(end) => return matches!(end, ChannelError::Closed(_)),
            }
        }
    });
    whole.then_some(count)
}

/// An open channel on which somebody listens to votes and one question is open.
async fn serve(bytes: &[u8], shared: &Shared) -> ChannelError {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let node = PrivateKey::from_bytes([2; 32]).public_key();
    let (channel, driver, _crawled) = Channel::new(ChannelId(1), address, None, node);
    let _votes = channel.votes();
    let question = AscPullQuestion::AccountInfo {
        target: PullTarget::Account(Network::Dev.genesis_account()),
    };
    let (_, ended) = tokio::join!(
        channel.pull(question, ANSWER),
        channel.run(driver, bytes, sink(), shared)
    );
    ended
}
