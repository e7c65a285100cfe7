//! The node: one state machine made of one part per concern.
//!
//! What happens is handed in ([`Node::handle_input`]), what is to be done comes out
//! ([`Node::poll_output`]), and [`Node::next_timeout`] says when it wants to be called again. This
//! file only hands things to the part that knows about them:
//!
//! | part | what |
//! |---|---|
//! | `dispatch` | messages of peers, and ours to them |
//! | `routing` | links, places, neighbours, requests on their way |
//! | `query` | questions of our own, answers to others |
//! | `signaling` | offers and answers between browsers |
//! | `replication` | keeping records on the nodes that shall hold them |
//! | `publish` | own blocks until they are proven; a bridge's relays |
//! | `returned` | own blocks that lost |
//! | `renewal` | proofs that a newer weight table outdates |
//! | `resolve` | a bridge's questions to the full nodes |
//! | `watch` | accounts kept up to date |
//! | `gossip` | news for everyone |
//! | `slice` | the verified records |
//! | `reputation` | scores of peers, and who is served first under load |
//! | `diversity` | from where nodes were seen, and how many alike are linked |
//! | `density` | places where suspiciously many nodes lie |
//! | `bridges` | what bridges state, compared |
//! | `exchange` | introductions besides those of links |
//! | `healing` | what is done when the network may have been split |
//! | `registry` | records of keys, kept, handed on and found |
//! | `onion` | private messages: circuits that lead through here, and our own |
//! | `join` | the work that our id costs, and what that of others is worth |
//!
//! Rules: time never goes back (an earlier `now` is taken as the latest one seen); every input is
//! worked off completely before the next; nothing is random but what the seed gives.

use std::collections::VecDeque;

use nano_core::{Account, BlockHash, UnixMillis};

use crate::bridges::Reported;
use crate::config::MAX_ANCHORS;
use crate::density::Crowds;
use crate::exchange::Told;
use crate::gossip::{Gossip, GossipFigures};
use crate::governance::Governance;
use crate::healing::Healing;
use crate::join::Joining;
use crate::limits::Bans;
use crate::link::{LinkConfig, LinkEnd, LinkError, LinkOutput};
use crate::onion::Post;
use crate::publish::Publishing;
use crate::query::Questions;
use crate::query::answering::Lately;
use crate::registry::{Lookups, MOST_IN_BRIDGE, MOST_IN_BROWSER, Publication, Registry};
use crate::renewal::Renewal;
use crate::replication::Replication;
use crate::reputation::{Load, Reputation};
use crate::resolve::Resolves;
use crate::routing::coordinates::Coordinates;
use crate::routing::forward::Forwards;
use crate::routing::known::Known;
use crate::routing::membership::LOOK_UP_POOR_MS;
use crate::routing::places::Places;
use crate::routing::table::{Peer, Table};
use crate::routing::telling::Telling;
use crate::routing::worth::Closeness;
use crate::signaling::Sessions;
use crate::slice::{Slice, SliceConfig};
use crate::sorted::SortedSet;
use crate::status::Counters;
use crate::timers::{Timer, Timers};
use crate::watch::Watching;
use crate::{
    CloseReason, Config, Event, Identity, Input, LinkId, LinkOrigin, NodeId, Output, PeerRecord,
    Rng, Role, Transport,
};
use crate::{Crypto, Noise};

/// Least milliseconds between two [`Event::StatusChanged`].
const STATUS_EVERY_MS: u64 = 100;

/// A node of the overlay; see the module for how to drive it.
pub struct Node<C: Crypto = Noise> {
    pub(crate) config: Config,
    pub(crate) identity: Identity,
    pub(crate) id: NodeId,
    pub(crate) record: PeerRecord,
    pub(crate) rng: Rng,
    pub(crate) now: UnixMillis,
    pub(crate) outputs: VecDeque<Output>,
    /// Links with something to say.
    pub(crate) stirred: SortedSet<LinkId>,
    pub(crate) timers: Timers,
    pub(crate) places: Places,
    pub(crate) table: Table<C::Link>,
    pub(crate) known: Known,
    pub(crate) telling: Telling,
    pub(crate) joining: Joining,
    pub(crate) bans: Bans,
    pub(crate) reputation: Reputation,
    pub(crate) load: Load,
    pub(crate) crowds: Crowds,
    pub(crate) reported: Reported,
    pub(crate) bridges_told: Told,
    pub(crate) healing: Healing,
    pub(crate) renewal: Renewal,
    pub(crate) forwards: Forwards,
    pub(crate) questions: Questions,
    pub(crate) lately: Lately,
    pub(crate) sessions: Sessions,
    pub(crate) slice: Slice,
    pub(crate) replication: Replication,
    pub(crate) publishing: Publishing,
    pub(crate) watching: Watching,
    pub(crate) resolves: Resolves,
    pub(crate) gossip: Gossip,
    pub(crate) registry: Registry,
    pub(crate) publication: Publication,
    pub(crate) lookups: Lookups,
    pub(crate) governance: Governance,
    pub(crate) post: Post,
    pub(crate) counters: Counters,
    #[cfg(any(test, feature = "adversary"))]
    pub(crate) lies: crate::lying::Lies,
    /// Whether a link was ever up.
    pub(crate) was_linked: bool,
    /// Whether a look-up of our own neighbourhood was answered since the first link.
    pub(crate) looked_around: bool,
    /// Where we lie among round trips.
    pub(crate) at: Coordinates,
    /// Whether a peer has said since that it lies elsewhere.
    pub(crate) moved: bool,
    /// When links were last looked after.
    pub(crate) attended: UnixMillis,
    /// When our neighbourhood was last looked up, when it is next, and how long after that again.
    pub(crate) looked_at: UnixMillis,
    pub(crate) look_next: UnixMillis,
    pub(crate) look_wait: u64,
    /// How close a node has to be to a place to hold what lies there.
    pub(crate) reach: Closeness,
    /// When a bridge was last asked for, and how many shortest times until it is again.
    pub(crate) need_bridge: Option<(UnixMillis, u32)>,
}

impl<C: Crypto> Node<C> {
    /// A node that has no link yet. `seed` is fresh secret entropy: keys of links come from it.
    /// Settings out of range are brought into range.
    #[must_use]
    pub fn new(mut config: Config, identity: Identity, seed: [u8; 32], now: UnixMillis) -> Self {
        config.max_links = config.max_links.clamp(3, 4096);
        config.replicas = config.replicas.clamp(1, 16);
        if !config.role.is_bridge_here() {
            config.role = Role::Browser;
        }
        config.anchors.truncate(MAX_ANCHORS);
        let is_bridge = config.role.is_bridge_here();
        let id = identity.node_id();
        let record =
            identity.peer_record(config.role, config.network, config.addresses.clone(), now);
        let joining = Joining::new(&record, config.join_threshold, now);
        let slice = Slice::new(SliceConfig {
            durable: config.durable,
            ..SliceConfig::new(
                config.network,
                config.anchors.clone(),
                config.record_budget_bytes,
            )
        });
        let mut timers = Timers::default();
        timers.set(Timer::Join, now);
        timers.set(Timer::Membership, now);
        timers.set(Timer::Replication, now.plus(1_000));
        Self {
            places: Places::new(id, config.role, config.max_links),
            config,
            identity,
            id,
            record,
            rng: Rng::from_seed(seed),
            now,
            outputs: VecDeque::new(),
            stirred: SortedSet::new(),
            timers,
            table: Table::new(),
            known: Known::new(id, is_bridge),
            telling: Telling::default(),
            joining,
            bans: Bans::default(),
            reputation: Reputation::default(),
            load: Load::default(),
            crowds: Crowds::default(),
            reported: Reported::new(),
            bridges_told: Told::new(),
            healing: Healing::default(),
            renewal: Renewal::default(),
            forwards: Forwards::default(),
            questions: Questions::default(),
            lately: Lately::default(),
            sessions: Sessions::default(),
            slice,
            replication: Replication::default(),
            publishing: Publishing::default(),
            watching: Watching::default(),
            resolves: Resolves::default(),
            gossip: Gossip::default(),
            registry: Registry::new(if is_bridge {
                MOST_IN_BRIDGE
            } else {
                MOST_IN_BROWSER
            }),
            publication: Publication::default(),
            lookups: Lookups::default(),
            governance: Governance::default(),
            post: Post::new(is_bridge),
            counters: Counters::default(),
            #[cfg(any(test, feature = "adversary"))]
            lies: crate::lying::Lies::default(),
            was_linked: false,
            looked_around: false,
            at: Coordinates::default(),
            moved: false,
            attended: UnixMillis(0),
            looked_at: UnixMillis(0),
            look_next: now,
            look_wait: LOOK_UP_POOR_MS,
            reach: Closeness::MIN,
            need_bridge: None,
        }
    }

    /// Tells the node that something happened at `now`, and lets it do what is due.
    pub fn handle_input(&mut self, now: UnixMillis, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::LinkOpened {
                link,
                origin,
                transport,
            } => self.on_link_opened(link, origin, transport),
            Input::LinkAddress { link, address } => self.on_link_address(link, address),
            Input::LinkUnordered { link, open } => {
                if let Some(peer) = self.table.get_mut(link) {
                    peer.link.set_unordered(self.now, open);
                    self.stirred.insert(link);
                }
            }
            Input::LinkReceived {
                link,
                channel,
                bytes,
            } => {
                if let Some(peer) = self.table.get_mut(link) {
                    peer.link.receive(self.now, channel, &bytes);
                    self.stirred.insert(link);
                }
            }
            Input::LinkWritten { link, bytes } => {
                if let Some(peer) = self.table.get_mut(link) {
                    peer.link.written(self.now, bytes);
                    self.stirred.insert(link);
                }
            }
            Input::LinkClosed { link } => self.on_link_broken(link),
            Input::LocalDescription { session, sdp } => self.on_local_description(session, sdp),
            Input::LocalCandidate { session, candidate } => {
                self.on_local_candidate(session, candidate);
            }
            Input::SessionFailed { session } => self.on_session_failed(session),
            Input::Loaded { entries } => self.on_loaded(entries),
            Input::Get {
                request,
                account,
                options,
            } => self.on_get(request, account, options),
            Input::Publish { request, block } => self.on_publish(request, *block),
            Input::LetGo { hash } => self.on_let_go(&hash),
            Input::Watch { account } => self.on_watch(account),
            Input::Unwatch { account } => self.on_unwatch(&account),
            Input::Weights(weights) => {
                self.config.weights = *weights;
                self.renewal.table_came(self.now);
                self.status_changed();
            }
            Input::Anchors(mut anchors) => {
                anchors.truncate(MAX_ANCHORS);
                self.slice.set_anchors(&anchors);
                self.config.anchors = anchors;
                self.status_changed();
            }
            Input::Resolved { request, outcome } => self.on_resolved(request, outcome),
            Input::Confirmed { record, receivable } => self.on_confirmed(*record, receivable),
            Input::RelayProgress { request, state } => self.on_relay_progress(request, state),
            Input::WorkFound { root, nonce } => self.on_work_found(root, nonce),
            Input::Introduced(records) => self.on_introduced(records),
            Input::Tell(tell) => self.on_tell(*tell),
            Input::Register(wanted) => self.on_register(*wanted),
            Input::LookUp { request, key } => self.on_look_up(request, key),
            Input::FindServices { request, filter } => self.on_find_services(request, *filter),
            Input::Send { request, message } => self.on_send(request, *message),
            Input::Timeout => {}
        }
        self.work();
    }

    /// The next thing to be done; call until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timeout`] is to be handed in, if nothing else happens before.
    #[must_use]
    pub fn next_timeout(&self) -> Option<UnixMillis> {
        self.timers.next()
    }

    /// Our id.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.id
    }

    /// The frontier that our slice holds of an account, if any: the one it would show.
    #[must_use]
    pub fn held(&self, account: &Account) -> Option<BlockHash> {
        let frontier = self.slice.get(account)?.frontier()?;
        Some(frontier.proven().hash)
    }

    /// How much news it holds, and what it counted of it.
    #[must_use]
    pub const fn gossip(&self) -> GossipFigures {
        self.gossip.figures()
    }

    /// Does everything that is due and lets links speak until nothing is left to do.
    fn work(&mut self) {
        #[cfg(any(test, feature = "adversary"))]
        self.flood();
        loop {
            self.stir_links();
            let Some(timer) = self.timers.take_due(self.now) else {
                break;
            };
            self.on_timer(timer);
        }
        while let Some(op) = self.slice.poll_store() {
            self.outputs.push_back(Output::Store(op));
        }
    }

    fn on_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Link(link) => {
                if let Some(peer) = self.table.get_mut(link) {
                    peer.link.handle_timeout(self.now);
                    self.stirred.insert(link);
                }
            }
            Timer::Passing(id) => self.on_passing_timer(id),
            Timer::Question(id) => self.on_question_timer(id),
            Timer::Session(session) => self.on_session_timer(session),
            Timer::Membership => {
                #[cfg(any(test, feature = "adversary"))]
                self.act_on_bug();
                self.on_membership_timer();
                self.look_for_split();
                self.renew_proofs();
            }
            Timer::Put(number) => self.on_put_timer(number),
            Timer::Replication => self.on_replication_timer(),
            Timer::Publish(hash) => self.on_publish_timer(hash),
            Timer::Resolve(request) => self.on_resolve_timer(request),
            Timer::Join => self.on_join_timer(),
            Timer::Gossip => self.on_gossip_timer(),
            Timer::Post => self.on_post_timer(),
            Timer::Status => self.event(Event::StatusChanged),
        }
    }

    /// What carried a link is gone, and most likely its peer is.
    fn on_link_broken(&mut self, link: LinkId) {
        let peer = self.peer_id(link);
        self.link_broke(link);
        self.on_link_gone(link, None);
        if let Some(peer) = peer {
            self.doubt_node(&peer);
        }
    }

    fn on_link_opened(&mut self, link: LinkId, origin: LinkOrigin, transport: Transport) {
        if self.table.get(link).is_some() {
            return;
        }
        if !self.table.room_to_greet(self.config.max_links) {
            return self.close_unknown(link, CloseReason::Full);
        }
        #[cfg(not(any(test, feature = "adversary")))]
        let record = self.record.clone();
        #[cfg(any(test, feature = "adversary"))]
        let record = self.introduction();
        let config = LinkConfig {
            record,
            expected: self.expected_at(origin),
        };
        let start = if origin.we_start() {
            C::Link::initiator
        } else {
            C::Link::responder
        };
        let made = start(&self.identity, config, &mut self.rng, self.now);
        self.table
            .open(link, Peer::new(made, origin, transport, self.now));
        self.stirred.insert(link);
    }

    fn stir_links(&mut self) {
        while let Some(link) = self.stirred.pop_first() {
            while let Some(peer) = self.table.get_mut(link) {
                match peer.link.poll() {
                    Some(LinkOutput::Transmit { channel, bytes }) => {
                        self.outputs.push_back(Output::Transmit {
                            link,
                            channel,
                            bytes,
                        });
                    }
                    Some(LinkOutput::Established(record)) => self.on_established(link, *record),
                    Some(LinkOutput::Message { class, bytes }) => {
                        self.on_message(link, class, &bytes);
                    }
                    // Requests on their way end by answers and by time.
                    Some(LinkOutput::Acked(number)) => self.on_acked(link, number),
                    Some(LinkOutput::Failed(error)) => self.on_link_failed(link, &error),
                    None => {
                        let next = peer.link.next_timeout();
                        match next {
                            Some(at) => self.timers.set(Timer::Link(link), at),
                            None => self.timers.clear(Timer::Link(link)),
                        }
                        break;
                    }
                }
            }
        }
    }

    fn on_link_failed(&mut self, link: LinkId, error: &LinkError) {
        let reason = match error {
            LinkError::ClosedByPeer { code } => {
                self.on_closed_by_peer(link, *code);
                self.outputs.push_back(Output::Close {
                    link,
                    reason: CloseReason::ClosedByPeer,
                });
                return self.on_link_gone(link, None);
            }
            LinkError::HandshakeTimeout => CloseReason::HandshakeTimeout,
            LinkError::OtherNetwork { .. } => CloseReason::WrongNetwork,
            LinkError::Ourselves => CloseReason::Ourselves,
            LinkError::Silent | LinkError::PingUnanswered | LinkError::Stalled => {
                CloseReason::Silent
            }
            _ => CloseReason::LinkFailed,
        };
        self.close(link, reason);
    }

    /// Closes a link, for everyone to see why.
    pub(crate) fn close(&mut self, link: LinkId, reason: CloseReason) {
        let Some(peer) = self.table.get_mut(link) else {
            return;
        };
        peer.link.close(reason.wire_code());
        while let Some(output) = peer.link.poll() {
            if let LinkOutput::Transmit { channel, bytes } = output {
                self.outputs.push_back(Output::Transmit {
                    link,
                    channel,
                    bytes,
                });
            }
        }
        let who = peer.who.as_ref().map(|who| (who.id, who.record.node_key));
        self.close_unknown(link, reason);
        if reason == CloseReason::Silent {
            self.link_broke(link);
        }
        if reason.is_fault()
            && let Some((peer, key)) = who
        {
            self.ban(key);
            self.event(Event::PeerDropped { peer, reason });
        }
        self.on_link_gone(link, Some(reason));
        if let (CloseReason::Silent, Some((peer, _))) = (reason, who) {
            self.doubt_node(&peer);
        }
    }

    fn close_unknown(&mut self, link: LinkId, reason: CloseReason) {
        self.counters.drop_link(reason.code());
        self.outputs.push_back(Output::Close { link, reason });
    }

    /// Tells the shell.
    pub(crate) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Tells the shell soon that the status changed.
    pub(crate) fn status_changed(&mut self) {
        self.timers
            .set_by(Timer::Status, self.now.plus(STATUS_EVERY_MS));
    }
}
