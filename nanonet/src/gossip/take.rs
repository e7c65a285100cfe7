//! Verifying news, delivering it, and publishing.
//!
//! What makes each topic's news hold, whoever brings it:
//! - *transactions*: a state block with its account's signature and enough work, at most
//!   [`PER_ACCOUNT`] of an account in [`ACCOUNT_MS`]; bridges publish it. A block may be told again
//!   once its id is forgotten; that costs whoever does it the tokens of its links;
//! - *blocks*, *bridges*, *parameters*: an anchor's signature, at most [`VOUCHER_MS`] old (without
//!   anchors any known bridge's, as for [`crate::replication`]);
//! - *weights*: an anchor's table with its signature, not from the future; whether it is taken is
//!   for [`crate::weights`] to say.
//!
//! What a clock, a limit or a list of anchors refuses is no fault of who passed it on; a signature
//! or work that does not hold is.

use nano_core::{Account, Block, StateBlock, UnixMillis};

use super::news::{Confirmed, News, NewsId, Parameter, Vouched, vouch};
use super::tree::LEAF;
use super::{Held, MAX_ACCOUNTS, MAX_NEWS_BYTES, Topic, compact};
use crate::id::hash;
use crate::replication::{Named, VOUCHER_MS};
use crate::wire::{Header, Pushed};
use crate::{
    Bug, CLOCK_SKEW_MS, Crypto, Event, GetOptions, LinkId, Node, NodeId, NodeKey, Output,
    PeerRecord, RelayId, Role, SignedWeights,
};

/// Transactions of one account that are passed on in [`ACCOUNT_MS`].
const PER_ACCOUNT: u8 = 8;
/// Time in which an account's transactions are counted: one minute.
const ACCOUNT_MS: u64 = 60_000;

/// What the shell wants told to everyone.
#[derive(Debug, Clone, PartialEq)]
pub enum Tell {
    /// A signed block with work.
    Transaction(Box<StateBlock>),
    /// Bridge: this block was confirmed; `previous` is the block before it, if there is one and it
    /// is known.
    Confirmed {
        /// The block.
        block: Box<StateBlock>,
        /// The block before it.
        previous: Option<Box<StateBlock>>,
    },
    /// Bridge: how we, or another bridge, can be reached.
    Bridge(Box<PeerRecord>),
    /// Weights of an anchor.
    Weights(Box<SignedWeights>),
    /// Bridge: a small setting.
    Parameter(Parameter),
}

/// Why news is not taken, and whether who brought it is at fault.
type Refusal = (&'static str, bool);

impl<C: Crypto> Node<C> {
    /// The shell tells everyone.
    pub(crate) fn on_tell(&mut self, tell: Tell) {
        let news = self.news_of(tell);
        let id = news.id();
        let body = news.to_bytes();
        if self.gossip.known.contains_key(&id) {
            return;
        }
        if body.len() > MAX_NEWS_BYTES || News::from_bytes(&body).as_ref() != Some(&news) {
            return self.blame(None, "news-too-long");
        }
        if let Err((reason, _)) = self.check_news(&news, &body) {
            return self.blame(None, reason);
        }
        self.keep_news(id, body, 0, 0);
        match &news {
            News::Transaction(block) => self.relay_news(**block),
            News::Parameter(said) => self.weigh_parameter(said),
            _ => {}
        }
        self.push_beside(id, 0);
        self.serve_part(id, 0, LEAF, 0);
        self.announce_soon(id);
        self.flush_pushes();
    }

    fn news_of(&self, tell: Tell) -> News {
        let (ours, network, now) = (&self.identity, self.config.network, self.now);
        match tell {
            Tell::Transaction(block) => News::Transaction(block),
            Tell::Weights(weights) => News::Weights(weights),
            Tell::Confirmed { block, previous } => {
                let previous = previous.filter(|previous| previous.hash() == block.previous);
                let what = Confirmed {
                    account: block.account,
                    hash: block.hash(),
                    nonce: ours.nonce(),
                    delta: previous.map_or(Vec::new(), |old| compact::shrink(&block, &old)),
                };
                let bytes = what.bytes();
                News::Block(vouch(ours, network, Topic::Blocks, now, what, &bytes))
            }
            Tell::Bridge(record) => {
                let bytes = record.to_bytes();
                let said = vouch(ours, network, Topic::Bridges, now, *record, &bytes);
                News::Bridge(Box::new(said))
            }
            Tell::Parameter(what) => {
                let bytes = what.bytes();
                let said = vouch(ours, network, Topic::Parameters, now, what, &bytes);
                News::Parameter(said)
            }
        }
    }

    /// A peer pushes news, or sends what was pulled.
    pub(crate) fn on_news(&mut self, link: LinkId, pushed: Vec<Pushed>) {
        for pushed in pushed {
            self.on_pushed(link, pushed);
        }
        self.flush_pushes();
    }

    fn on_pushed(&mut self, link: LinkId, pushed: Pushed) {
        let Pushed {
            depth,
            rank,
            hops,
            body,
        } = pushed;
        let Some(news) = News::from_bytes(&body.0) else {
            return self.blame(Some(link), "malformed-news");
        };
        let id = news.id();
        if self.gossip.known.contains_key(&id) {
            if self.has_bug(Bug::DeliversTwice) {
                self.deliver(id, hops, news);
            }
            return self.came_again(link, id, depth, rank);
        }
        if !self.has_bug(Bug::Invents)
            && let Err((reason, fault)) = self.check_news(&news, &body.0)
        {
            if fault {
                return self.blame(Some(link), reason);
            }
            return self.counters.refuse(reason);
        }
        let hops = hops.saturating_add(1);
        self.gossip.wanted.remove(&id);
        self.gossip.figures.delivered_bytes += body.0.len() as u64;
        self.keep_news(id, body.0, hops, depth);
        self.shows(link, id, depth < LEAF);
        self.push_beside(id, depth);
        self.serve_part(id, depth, LEAF, rank);
        self.announce_soon(id);
        self.use_news(&news);
        self.deliver(id, hops, news);
    }

    fn keep_news(&mut self, id: NewsId, body: Vec<u8>, hops: u8, served: u8) {
        let held = Held {
            at: self.now,
            body,
            hops,
            served,
            shown_bits: 0,
            has: Vec::new(),
        };
        let keep_all = self.has_bug(Bug::NeverForgets);
        self.gossip.hold(id, held, keep_all);
    }

    fn deliver(&mut self, id: NewsId, hops: u8, news: News) {
        self.gossip.figures.delivered += 1;
        let block = match &news {
            News::Block(said) => self.expanded(&said.what).map(Box::new),
            _ => None,
        };
        let news = Box::new(news);
        self.event(Event::News {
            id,
            hops,
            news,
            block,
        });
    }

    /// The confirmed block itself, if its delta and the block before it are at hand.
    fn expanded(&self, confirmed: &Confirmed) -> Option<StateBlock> {
        let frontier = self.slice.get(&confirmed.account)?.frontier()?;
        let Block::State(held) = frontier.record().proof.frontier.block()? else {
            return None;
        };
        let block = compact::expand(&confirmed.delta, &held)?;
        (block.hash() == confirmed.hash).then_some(block)
    }

    fn check_news(&mut self, news: &News, body: &[u8]) -> Result<(), Refusal> {
        let network = self.config.network;
        let name = hash(&[body]);
        let holds = |check: &dyn Fn() -> bool| {
            let holds = C::check_news(&name, check);
            holds.then_some(()).ok_or(("bad-news", true))
        };
        match news {
            News::Transaction(block) => {
                self.room_for(&block.account)?;
                holds(&|| self.check_block(&Block::State(**block)).is_ok())?;
                self.count(block.account);
            }
            News::Block(said) => {
                self.check_voucher(said)?;
                holds(&|| said.holds(network, Topic::Blocks, &said.what.bytes()))?;
            }
            News::Bridge(said) => {
                self.check_voucher(said)?;
                let record = &said.what;
                if record.role != Role::Bridge || record.network != network {
                    return Err(("not-a-bridge", true));
                }
                let bytes = record.to_bytes();
                holds(&|| record.verify().is_ok() && said.holds(network, Topic::Bridges, &bytes))?;
            }
            News::Weights(weights) => {
                self.check_bridge(&weights.bridge)?;
                self.check_time(weights.table.as_of, u64::MAX)?;
                holds(&|| weights.table.network == network && weights.holds())?;
            }
            News::Parameter(said) => {
                self.check_voucher(said)?;
                holds(&|| said.holds(network, Topic::Parameters, &said.what.bytes()))?;
            }
        }
        Ok(())
    }

    fn check_voucher<T>(&self, said: &Vouched<T>) -> Result<(), Refusal> {
        self.check_bridge(&said.bridge)?;
        self.check_time(said.at, VOUCHER_MS)
    }

    fn check_bridge(&self, key: &NodeKey) -> Result<(), Refusal> {
        let known = self.may_vouch(key);
        known.then_some(()).ok_or(("unknown-bridge", false))
    }

    fn check_time(&self, at: UnixMillis, longest: u64) -> Result<(), Refusal> {
        let ahead = at.since(self.now) > CLOCK_SKEW_MS;
        let right = !ahead && self.now.since(at) <= longest;
        right.then_some(()).ok_or(("out-of-time", false))
    }

    /// Whether an account may have one more transaction passed on.
    fn room_for(&self, account: &Account) -> Result<(), Refusal> {
        let (now, counted) = (self.now, &self.gossip.accounts);
        let spent = counted
            .get(account)
            .is_some_and(|(since, count)| now.since(*since) < ACCOUNT_MS && *count >= PER_ACCOUNT);
        (!spent).then_some(()).ok_or(("account-limit", false))
    }

    fn count(&mut self, account: Account) {
        let (now, accounts) = (self.now, &mut self.gossip.accounts);
        if accounts.len() >= MAX_ACCOUNTS && !accounts.contains_key(&account) {
            accounts.retain(|_, (since, _)| now.since(*since) < ACCOUNT_MS);
            if accounts.len() >= MAX_ACCOUNTS {
                // Rather one account too much is let through than another kept out.
                accounts.pop_first();
            }
        }
        let (since, count) = accounts.get_or_insert_with(account, || (now, 0));
        if now.since(*since) >= ACCOUNT_MS {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
    }

    /// What the node itself does with news.
    fn use_news(&mut self, news: &News) {
        match news {
            News::Transaction(block) => self.relay_news(**block),
            News::Block(said) => self.pull_confirmed(said),
            News::Parameter(said) => self.weigh_parameter(said),
            News::Bridge(said) if said.what.node_key != self.identity.node_key() => {
                self.heard_of_bridge(&said.what);
            }
            _ => {}
        }
    }

    /// An anchor proposes or endorses a setting ([`crate::governance`]).
    fn weigh_parameter(&mut self, said: &Vouched<Parameter>) {
        let Parameter { name, value } = &said.what;
        self.on_parameter(said.bridge, said.at, name, value);
    }

    /// Bridge: the full nodes get it.
    fn relay_news(&mut self, block: StateBlock) {
        if self.config.role.is_bridge_here() {
            self.publishing.last_relay += 1;
            let request = RelayId(self.publishing.last_relay);
            let block = Box::new(Block::State(block));
            self.outputs.push_back(Output::Relay { request, block });
        }
    }

    /// Whoever watches the account asks for its new record; whoever is to hold it pulls it.
    fn pull_confirmed(&mut self, said: &Vouched<Confirmed>) {
        let Confirmed {
            account,
            hash,
            nonce,
            ..
        } = said.what;
        if self.held(&account) == Some(hash) {
            return;
        }
        if self.slice.is_watched(&account) {
            let options = GetOptions {
                fresh: true,
                ..GetOptions::default()
            };
            self.start_question(None, account, options);
        } else if self.slice.get(&account).is_some() {
            let header = Header {
                account,
                hash,
                receivable: false,
            };
            self.serve_headers(NodeId::new(&said.bridge, nonce), Named::ToAnyone, &[header]);
        }
    }
}
