//! What is told to everyone: five kinds of news, their identity and their bytes.
//!
//! News is what anyone can check, wherever it comes from. Its identity ([`NewsId`]) is a hash of
//! what it says, never of a signature or of work, which have many valid forms. Bytes: the topic (1),
//! then the fields one after another, numbers most significant byte first; one piece of news has
//! one such form.

use std::fmt;

use nano_core::{
    Account, Block, BlockHash, BlockType, Network, Signature, StateBlock, UnixMillis, WeightTable,
};

use crate::id::hash;
use crate::reader::Reader;
use crate::{Identity, NodeKey, PeerRecord, Purpose, SignedWeights};

/// Most bytes of one piece of news.
pub const MAX_NEWS_BYTES: usize = 32 * 1024;
/// Longest name of a parameter, in bytes.
pub const MAX_NAME_BYTES: usize = 32;
/// Longest value of a parameter, in bytes.
pub const MAX_VALUE_BYTES: usize = 256;

/// The name of a piece of news: the first eight bytes of BLAKE2b-256(`nanonet news` ‖ topic ‖
/// BLAKE2b-256 of what it says). Whoever wants two of one name needs 2^32 tries, for one that others made 2^64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NewsId(pub u64);

impl NewsId {
    /// The name of what says `what`.
    fn new(topic: Topic, what: &[&[u8]]) -> Self {
        let what = hash(what);
        let name = hash(&[b"nanonet news", &[topic as u8], &what]);
        let mut first = [0; 8];
        first.copy_from_slice(&name[..8]);
        Self(u64::from_be_bytes(first))
    }

    /// The name of the news that a block was confirmed: bridges that tell it tell one piece.
    #[must_use]
    pub fn of_block(account: &Account, hash: &BlockHash) -> Self {
        Self::new(Topic::Blocks, &[account.as_bytes(), hash.as_bytes()])
    }
}

impl fmt::Debug for NewsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a piece of news is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Newly confirmed frontiers.
    Blocks,
    /// Blocks that are to be confirmed.
    Transactions,
    /// Bridges and where they are.
    Bridges,
    /// Weight tables of anchors.
    Weights,
    /// Small settings of anchors.
    Parameters,
}

impl Topic {
    /// Every topic, in the order of their bytes.
    pub const ALL: [Self; 5] = [
        Self::Blocks,
        Self::Transactions,
        Self::Bridges,
        Self::Weights,
        Self::Parameters,
    ];

    /// Its name, as shown to people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Transactions => "transactions",
            Self::Bridges => "bridges",
            Self::Weights => "weights",
            Self::Parameters => "parameters",
        }
    }
}

/// A statement with the word of a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched<T> {
    /// What.
    pub what: T,
    /// Which bridge says so.
    pub bridge: NodeKey,
    /// When, by its clock.
    pub at: UnixMillis,
    /// Over network, topic, time and bytes of `what`.
    pub signature: Signature,
}

/// A block was confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// Whose.
    pub account: Account,
    /// The block.
    pub hash: BlockHash,
    /// Places the bridge that says so, see [`NodeId::new`](crate::NodeId::new): the record can be
    /// pulled there.
    pub nonce: u64,
    /// The block as what changed since the one before it (see the file `compact`); may be empty.
    pub delta: Vec<u8>,
}

/// A small setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Which; at most [`MAX_NAME_BYTES`].
    pub name: String,
    /// What it is set to; at most [`MAX_VALUE_BYTES`].
    pub value: Vec<u8>,
}

/// A piece of news; nothing is verified by its type.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A confirmed frontier.
    Block(Vouched<Confirmed>),
    /// A signed block with work, to be published by every bridge it comes to.
    Transaction(Box<StateBlock>),
    /// How a bridge introduces itself, with the word of an anchor that it is one.
    Bridge(Box<Vouched<PeerRecord>>),
    /// Weights of an anchor.
    Weights(Box<SignedWeights>),
    /// A setting.
    Parameter(Vouched<Parameter>),
}

impl News {
    /// What it is about.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Block(_) => Topic::Blocks,
            Self::Transaction(_) => Topic::Transactions,
            Self::Bridge(_) => Topic::Bridges,
            Self::Weights(_) => Topic::Weights,
            Self::Parameter(_) => Topic::Parameters,
        }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> NewsId {
        let named = |what: &[&[u8]]| NewsId::new(self.topic(), what);
        match self {
            Self::Block(said) => NewsId::of_block(&said.what.account, &said.what.hash),
            Self::Transaction(block) => named(&[block.hash().as_bytes()]),
            Self::Bridge(said) => {
                let at = said.what.issued_at.0.to_be_bytes();
                named(&[said.what.node_key.as_bytes(), &at])
            }
            Self::Weights(weights) => {
                let table = weights.table.to_bytes().unwrap_or_default();
                named(&[weights.bridge.as_bytes(), &table])
            }
            Self::Parameter(said) => {
                let at = said.at.0.to_be_bytes();
                named(&[said.bridge.as_bytes(), &at, &said.what.bytes()])
            }
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.topic() as u8];
        match self {
            Self::Block(said) => said.write(&said.what.bytes(), &mut bytes),
            Self::Transaction(block) => bytes.extend(Block::State(**block).serialized()),
            Self::Bridge(said) => said.write(&said.what.to_bytes(), &mut bytes),
            Self::Weights(weights) => {
                bytes.extend_from_slice(weights.bridge.as_bytes());
                bytes.extend_from_slice(weights.signature.as_bytes());
                bytes.extend(weights.table.to_bytes().unwrap_or_default());
            }
            Self::Parameter(said) => said.write(&said.what.bytes(), &mut bytes),
        }
        bytes
    }

    /// Reads [`News::to_bytes`]; `None` for anything else, and beyond [`MAX_NEWS_BYTES`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_NEWS_BYTES {
            return None;
        }
        let mut reader = Reader::new(bytes);
        let topic = *Topic::ALL.get(usize::from(reader.byte()?))?;
        Some(match topic {
            Topic::Transactions => match Block::parse(BlockType::State, reader.rest()).ok()? {
                Block::State(block) => Self::Transaction(Box::new(block)),
                _ => return None,
            },
            Topic::Blocks => Self::Block(Vouched::read(&mut reader, Confirmed::read)?),
            Topic::Bridges => Self::Bridge(Box::new(Vouched::read(&mut reader, |rest| {
                let record = PeerRecord::from_bytes(rest)?;
                (record.to_bytes() == rest).then_some(record)
            })?)),
            Topic::Weights => {
                let bridge = NodeKey::from_bytes(reader.array()?);
                let signature = Signature::from_bytes(reader.array()?);
                let bytes = reader.rest();
                let table = WeightTable::from_bytes(bytes).ok()?;
                if table.to_bytes().ok()? != bytes {
                    return None;
                }
                Self::Weights(Box::new(SignedWeights {
                    table,
                    bridge,
                    signature,
                }))
            }
            Topic::Parameters => Self::Parameter(Vouched::read(&mut reader, Parameter::read)?),
        })
    }
}

impl<T> Vouched<T> {
    fn write(&self, what: &[u8], bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.bridge.as_bytes());
        bytes.extend_from_slice(&self.at.0.to_be_bytes());
        bytes.extend_from_slice(self.signature.as_bytes());
        bytes.extend_from_slice(what);
    }

    fn read(reader: &mut Reader<'_>, what: impl Fn(&[u8]) -> Option<T>) -> Option<Self> {
        Some(Self {
            bridge: NodeKey::from_bytes(reader.array()?),
            at: UnixMillis(reader.u64()?),
            signature: Signature::from_bytes(reader.array()?),
            what: what(reader.rest())?,
        })
    }

    /// Whether the bridge it names has signed it for `network`.
    pub(super) fn holds(&self, network: Network, topic: Topic, what: &[u8]) -> bool {
        let data = signed(network, topic, self.at, what);
        let verified = self.bridge.verify(Purpose::News, &data, &self.signature);
        verified.is_ok()
    }
}

/// A bridge's word for something.
pub(super) fn vouch<T>(
    identity: &Identity,
    network: Network,
    topic: Topic,
    at: UnixMillis,
    what: T,
    bytes: &[u8],
) -> Vouched<T> {
    Vouched {
        what,
        bridge: identity.node_key(),
        at,
        signature: identity.sign(Purpose::News, &signed(network, topic, at, bytes)),
    }
}

/// What a voucher signs.
fn signed(network: Network, topic: Topic, at: UnixMillis, what: &[u8]) -> Vec<u8> {
    let mut bytes = network.id().to_vec();
    bytes.push(topic as u8);
    bytes.extend_from_slice(&at.0.to_be_bytes());
    bytes.extend_from_slice(what);
    bytes
}

impl Confirmed {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.account.as_bytes().to_vec();
        bytes.extend_from_slice(self.hash.as_bytes());
        bytes.extend_from_slice(&self.nonce.to_be_bytes());
        bytes.extend_from_slice(&self.delta);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(Self {
            account: Account::from_bytes(reader.array()?),
            hash: BlockHash::from_bytes(reader.array()?),
            nonce: reader.u64()?,
            delta: reader.rest().to_vec(),
        })
        .filter(|confirmed| confirmed.delta.len() <= super::compact::MAX_BYTES)
    }
}

impl Parameter {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![u8::try_from(self.name.len()).unwrap_or(u8::MAX)];
        bytes.extend_from_slice(self.name.as_bytes());
        bytes.extend_from_slice(&self.value);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let length = usize::from(reader.byte()?);
        let name = str::from_utf8(reader.take(length)?).ok()?.to_owned();
        let value = reader.rest().to_vec();
        let parameter = Self { name, value };
        parameter.fits().then_some(parameter)
    }

    /// Whether it keeps the limits.
    pub(super) fn fits(&self) -> bool {
        self.name.len() <= MAX_NAME_BYTES && self.value.len() <= MAX_VALUE_BYTES
    }
}

/// The bytes of a piece of news of every topic, for the corpus and for tests.
#[cfg(any(test, feature = "adversary"))]
pub(crate) fn samples(bridge: &Identity, at: UnixMillis) -> Vec<Vec<u8>> {
    use crate::testing::{TestChain, TestKeys, account_key};
    use crate::{Addresses, Role};

    let network = Network::Dev;
    let mut chain = TestChain::open(1, nano_core::Raw::NANO);
    chain.send(&account_key(2).account(), nano_core::Raw::new(7));
    let (old, new) = (chain.blocks()[0], chain.blocks()[1]);
    let needed = network.work_thresholds().entry_of(&Block::State(new));
    let mut work = (0..).map(nano_core::WorkNonce::new);
    let enough = work.find(|work| work.difficulty(&new.root()) >= needed);
    let new = new.with_work(enough.unwrap_or(nano_core::WorkNonce::new(0)));
    let confirmed = Confirmed {
        account: new.account,
        hash: new.hash(),
        nonce: bridge.nonce(),
        delta: super::compact::shrink(&new, &old),
    };
    let bytes = confirmed.bytes();
    let confirmed = vouch(bridge, network, Topic::Blocks, at, confirmed, &bytes);
    let record = bridge.peer_record(Role::Bridge, network, Addresses::default(), at);
    let bytes = record.to_bytes();
    let peer = vouch(bridge, network, Topic::Bridges, at, record, &bytes);
    let table = TestKeys::new().weights().clone();
    let parameter = Parameter {
        name: "minimum".to_owned(),
        value: vec![1, 2, 3],
    };
    let bytes = parameter.bytes();
    let parameter = vouch(bridge, network, Topic::Parameters, at, parameter, &bytes);
    let mut all = vec![
        News::Block(confirmed),
        News::Transaction(Box::new(new)),
        News::Bridge(Box::new(peer)),
    ];
    let weights = SignedWeights::sign(bridge, table).ok().map(Box::new);
    all.extend(weights.map(News::Weights));
    all.push(News::Parameter(parameter));
    all.iter().map(News::to_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use proptest::prelude::*;

    fn all() -> Vec<Vec<u8>> {
        let bridge = Identity::generate(&mut Rng::from_seed([2; 32]));
        samples(&bridge, UnixMillis(5))
    }

    #[test]
    fn news_of_every_topic_survives_the_wire_under_a_name_of_its_own() {
        let mut names = Vec::new();
        for (bytes, topic) in all().iter().zip(Topic::ALL) {
            let news = News::from_bytes(bytes).unwrap();
            assert_eq!(news.topic(), topic);
            assert_eq!(&news.to_bytes(), bytes);
            names.push(news.id());
        }
        assert_eq!(names.len(), Topic::ALL.len());
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Topic::ALL.len());
    }

    #[test]
    fn another_signature_or_work_does_not_make_other_news() {
        for bytes in all() {
            let mut news = News::from_bytes(&bytes).unwrap();
            let name = news.id();
            let other = Signature::from_bytes([1; 64]);
            match &mut news {
                News::Block(said) => said.signature = other,
                News::Transaction(block) => **block = block.with_work(nano_core::WorkNonce::new(9)),
                News::Bridge(said) => said.what.signature = other,
                News::Weights(weights) => weights.signature = other,
                News::Parameter(said) => said.signature = other,
            }
            assert_ne!(news.to_bytes(), bytes);
            assert_eq!(news.id(), name);
        }
    }

    proptest! {
        #[test]
        fn damaged_news_is_none_or_reads_the_same_again(
            which in 0_usize..5, place: usize, change in 1_u8.., cut: usize,
        ) {
            let mut bytes = all().swap_remove(which);
            let place = place % bytes.len();
            bytes[place] ^= change;
            bytes.truncate(cut % (2 * bytes.len()));
            if let Some(news) = News::from_bytes(&bytes) {
                prop_assert_eq!(news.to_bytes(), bytes);
            }
        }
    }
}
