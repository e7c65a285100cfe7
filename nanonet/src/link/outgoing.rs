//! Messages on their way out: a queue for each class, and which of them gets the next frame.
//!
//! Rules:
//! - a class *waits* when it has a message and credit for its next chunk;
//! - the most urgent waiting class gets the next frame, and while that frame has no room at the
//!   transport nothing less urgent slips past it;
//! - except that a class in front of which [`STARVATION_BYTES`] of more urgent frames went out
//!   while it waited gets one frame;
//! - a frame carries messages of one class only, so that a question is not held up by bulk in its
//!   own frame; small messages of that class share it;
//! - bulk goes out in frames of half its share of the transport (see `pace`), so that one is on
//!   its way while the next is made;
//! - within a class messages go out whole, one after another: a receiver holds at most one
//!   unfinished message of a class.
//!
//! Bounded: [`Class::queue_limit`] for each class.

use std::collections::VecDeque;

use super::class::{
    CHUNK_HEADER, CLASSES, Class, MAX_CHUNK, MAX_ITEMS, MESSAGE_COST, MIN_CHUNK, SEND_CREDIT,
    STARVATION_BYTES, TAG,
};
use super::error::{LinkError, SendError};
use super::frame::{Item, chunk_size};

/// The messages of one class.
struct Queue {
    messages: VecDeque<Vec<u8>>,
    /// Bytes of the first message that went out already.
    sent: u32,
    /// Number of the first message.
    number: u32,
    /// Bytes of all messages with their cost, sent parts included.
    queued: u32,
    /// What the receiver still has room for.
    credit: u32,
    /// Bytes of more urgent frames that went out while this class waited.
    passed_over: u32,
    /// Longest chunk.
    longest: usize,
    #[cfg(test)]
    arrivals: VecDeque<u64>,
}

impl Queue {
    fn new(class: Class) -> Self {
        Self {
            messages: VecDeque::new(),
            sent: 0,
            number: 0,
            queued: 0,
            credit: class.window(),
            passed_over: 0,
            longest: MAX_CHUNK,
            #[cfg(test)]
            arrivals: VecDeque::new(),
        }
    }

    /// Length of the next chunk and its cost, if the receiver has room for it.
    fn next_chunk(&self) -> Option<(usize, u32)> {
        let left = self.messages.front()?.len() - self.sent as usize;
        let length = left.min(self.longest);
        let start = if self.sent == 0 { MESSAGE_COST } else { 0 };
        let cost = size(length) + start;
        (cost <= self.credit).then_some((length, cost))
    }

    /// Writes the next chunk, if there is one.
    fn write_chunk(&mut self, class: Class, items: &mut Vec<u8>) {
        let (Some((length, cost)), Some(message)) = (self.next_chunk(), self.messages.front())
        else {
            return;
        };
        let start = self.sent as usize;
        let last = start + length == message.len();
        let bytes = &message[start..start + length];
        Item::Chunk {
            class,
            number: self.number,
            last,
            bytes,
        }
        .write(items);
        self.credit -= cost;
        self.sent += size(length);
        if last {
            self.queued -= self.sent + MESSAGE_COST;
            self.sent = 0;
            self.number = self.number.wrapping_add(1);
            self.messages.pop_front();
            #[cfg(test)]
            self.arrivals.pop_front();
        }
    }
}

/// Everything that waits to be sent.
pub(super) struct Outgoing {
    queues: [Queue; CLASSES],
    /// How full bulk may make the transport.
    bulk_share: u32,
    /// Only tests take the priority away, to see that what measures it notices.
    #[cfg(test)]
    pub(super) first_come_first_served: bool,
    #[cfg(test)]
    arrived: u64,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self {
            queues: Class::ALL.map(Queue::new),
            bulk_share: Class::Bulk.transport_share(),
            #[cfg(test)]
            first_come_first_served: false,
            #[cfg(test)]
            arrived: 0,
        }
    }

    /// Bytes waiting in a class, [`MESSAGE_COST`] for each message included.
    pub(super) fn queued(&self, class: Class) -> u32 {
        self.queues[class.index()].queued
    }

    /// Sets how full bulk may make the transport.
    pub(super) fn set_bulk_share(&mut self, share: u32) {
        self.bulk_share = share;
        let half = (share / 2) as usize - CHUNK_HEADER - TAG;
        self.queues[Class::Bulk.index()].longest = half.clamp(MIN_CHUNK, MAX_CHUNK);
    }

    /// Takes a message.
    pub(super) fn push(&mut self, class: Class, message: Vec<u8>) -> Result<(), SendError> {
        let queue = &mut self.queues[class.index()];
        let length = message.len();
        if length == 0 {
            return Err(SendError::Empty);
        }
        if length > class.message_limit() as usize {
            return Err(SendError::TooLong { class, length });
        }
        let queued = queue.queued + size(length) + MESSAGE_COST;
        if queued > class.queue_limit() {
            return Err(SendError::Full { class });
        }
        queue.queued = queued;
        queue.messages.push_back(message);
        #[cfg(test)]
        {
            queue.arrivals.push_back(self.arrived);
            self.arrived += 1;
        }
        Ok(())
    }

    /// Takes credit from the receiver.
    pub(super) fn grant(&mut self, class: Class, amount: u32) -> Result<(), LinkError> {
        let queue = &mut self.queues[class.index()];
        match queue.credit.checked_add(amount) {
            Some(credit) if amount > 0 && credit <= class.window() => {
                queue.credit = credit;
                Ok(())
            }
            _ => Err(LinkError::BadCredit { class }),
        }
    }

    /// Appends what goes into the next frame to `items`, which may hold items of the link itself
    /// already; `used` is what the transport holds, this frame so far included.
    pub(super) fn fill(&mut self, used: u32, items: &mut Vec<u8>) {
        let Some((class, share)) = self.next_class() else {
            return;
        };
        let queue = &mut self.queues[class.index()];
        let start = items.len();
        let most = match class {
            Class::Bulk => chunk_size(queue.longest),
            _ => MAX_ITEMS,
        };
        while let Some((length, _)) = queue.next_chunk() {
            let end = items.len() + chunk_size(length);
            let fits = end <= MAX_ITEMS && end - start <= most && used + size(end - start) <= share;
            if !fits {
                break;
            }
            queue.write_chunk(class, items);
        }
        if items.len() > start {
            self.account(class, size(items.len() - start));
        }
    }

    /// The class that gets the next frame, and how full it may make the transport.
    fn next_class(&self) -> Option<(Class, u32)> {
        #[cfg(test)]
        if self.first_come_first_served {
            let waiting = Class::ALL.into_iter().filter(|class| self.waits(*class));
            let class = waiting.min_by_key(|class| self.queues[class.index()].arrivals.front())?;
            return Some((class, SEND_CREDIT));
        }
        let mut waiting = Class::ALL.into_iter().filter(|class| self.waits(*class));
        let starving = waiting
            .clone()
            .find(|class| self.queues[class.index()].passed_over >= STARVATION_BYTES);
        match starving {
            Some(class) => Some((class, SEND_CREDIT)),
            None => waiting.next().map(|class| match class {
                Class::Bulk => (class, self.bulk_share),
                _ => (class, class.transport_share()),
            }),
        }
    }

    fn waits(&self, class: Class) -> bool {
        self.queues[class.index()].next_chunk().is_some()
    }

    /// Notes that `class` got a frame of `length` bytes.
    fn account(&mut self, class: Class, length: u32) {
        for other in Class::ALL {
            let waits = self.waits(other);
            let queue = &mut self.queues[other.index()];
            if other == class || !waits {
                queue.passed_over = 0;
            } else if other > class {
                queue.passed_over = queue.passed_over.saturating_add(length);
            }
        }
    }
}

/// A length as it is counted; nothing here comes near 4 GiB.
pub(super) fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::class::MAX_FRAME;
    use super::super::frame::Items;
    use super::*;
    use proptest::prelude::*;

    /// The classes of the chunks of the next frame, the transport being empty.
    fn frame(outgoing: &mut Outgoing) -> Vec<Class> {
        let mut items = Vec::new();
        outgoing.fill(0, &mut items);
        Items::new(&items)
            .map_while(|item| match item {
                Ok(Item::Chunk { class, .. }) => Some(class),
                _ => None,
            })
            .collect()
    }

    fn full(class: Class) -> Vec<u8> {
        vec![1; class.message_limit() as usize]
    }

    #[test]
    fn the_most_urgent_class_goes_first() {
        let mut outgoing = Outgoing::new();
        for class in [Class::Bulk, Class::Gossip, Class::Query, Class::Control] {
            outgoing.push(class, vec![0; 10]).unwrap();
        }
        for class in Class::ALL {
            assert_eq!(frame(&mut outgoing), [class]);
        }
        assert_eq!(frame(&mut outgoing), []);
    }

    #[test]
    fn small_messages_of_a_class_share_a_frame() {
        let mut outgoing = Outgoing::new();
        for _ in 0..5 {
            outgoing.push(Class::Query, vec![0; 100]).unwrap();
        }
        outgoing.push(Class::Bulk, vec![0; 100]).unwrap();
        assert_eq!(frame(&mut outgoing), [Class::Query; 5]);
        assert_eq!(frame(&mut outgoing), [Class::Bulk]);
    }

    #[test]
    fn a_waiting_class_is_passed_over_for_a_bounded_number_of_bytes() {
        let mut outgoing = Outgoing::new();
        outgoing.push(Class::Bulk, full(Class::Bulk)).unwrap();
        let mut passed_over = 0;
        let mut served = 0;
        while served < 10 {
            // Queries without end, and a receiver that takes them at once.
            let _ = outgoing.push(Class::Query, full(Class::Query));
            let queue = &mut outgoing.queues[Class::Query.index()];
            queue.credit = Class::Query.window();
            let mut items = Vec::new();
            outgoing.fill(0, &mut items);
            match Items::new(&items).next() {
                Some(Ok(Item::Chunk {
                    class: Class::Bulk, ..
                })) => {
                    assert!(passed_over >= STARVATION_BYTES);
                    served += 1;
                    passed_over = 0;
                }
                Some(Ok(_)) => passed_over += size(items.len()),
                other => panic!("{other:?}"),
            }
            assert!(passed_over < STARVATION_BYTES + size(MAX_FRAME));
        }
    }

    #[test]
    fn nothing_less_urgent_slips_past_a_frame_that_waits_for_room() {
        let mut outgoing = Outgoing::new();
        outgoing.push(Class::Query, full(Class::Query)).unwrap();
        outgoing.push(Class::Gossip, vec![0; 1]).unwrap();
        let mut items = Vec::new();
        outgoing.fill(Class::Query.transport_share() - 100, &mut items);
        assert!(items.is_empty());
    }

    #[test]
    fn bulk_leaves_half_of_the_transport_to_others() {
        let mut outgoing = Outgoing::new();
        outgoing.push(Class::Bulk, full(Class::Bulk)).unwrap();
        let mut used = 0;
        loop {
            let mut items = Vec::new();
            outgoing.fill(used, &mut items);
            if items.is_empty() {
                break;
            }
            used += size(items.len());
        }
        assert_eq!(used, 2 * size(chunk_size(MAX_CHUNK)));
    }

    #[test]
    fn a_full_queue_refuses_and_stays_usable() {
        let mut outgoing = Outgoing::new();
        for class in Class::ALL {
            let length = class.message_limit() as usize + 1;
            let too_long = outgoing.push(class, vec![0; length]);
            assert_eq!(too_long, Err(SendError::TooLong { class, length }));
            assert_eq!(outgoing.push(class, Vec::new()), Err(SendError::Empty));
            while outgoing.push(class, full(class)).is_ok() {}
            assert!(outgoing.queued(class) <= class.queue_limit());
            assert_eq!(
                outgoing.push(class, full(class)),
                Err(SendError::Full { class })
            );
        }
        assert_eq!(frame(&mut outgoing)[0], Class::Control);
    }

    #[test]
    fn a_queue_of_tiny_messages_is_bounded_by_their_cost() {
        let mut outgoing = Outgoing::new();
        let mut count = 0_u32;
        while outgoing.push(Class::Control, vec![0]).is_ok() {
            count += 1;
        }
        assert_eq!(count, Class::Control.queue_limit() / (MESSAGE_COST + 1));
    }

    #[test]
    fn more_credit_than_a_window_or_none_is_refused() {
        let mut outgoing = Outgoing::new();
        let class = Class::Gossip;
        assert_eq!(
            outgoing.grant(class, 1),
            Err(LinkError::BadCredit { class })
        );
        outgoing.push(class, vec![0; 10]).unwrap();
        frame(&mut outgoing);
        assert_eq!(
            outgoing.grant(class, 0),
            Err(LinkError::BadCredit { class })
        );
        assert_eq!(
            outgoing.grant(class, u32::MAX),
            Err(LinkError::BadCredit { class })
        );
        assert_eq!(outgoing.grant(class, MESSAGE_COST + 10), Ok(()));
    }

    proptest! {
        #[test]
        fn what_goes_out_is_what_came_in_within_the_credit(
            lengths in prop::collection::vec((0_usize..4, 1_usize..16_000), 1..40),
        ) {
            let mut outgoing = Outgoing::new();
            let mut expected = [0_u32; CLASSES];
            for (class, length) in lengths {
                if outgoing.push(Class::ALL[class], vec![0; length]).is_ok() {
                    expected[class] += size(length);
                }
            }
            let mut found = [0_u32; CLASSES];
            let mut spent = [0_u32; CLASSES];
            loop {
                let mut items = Vec::new();
                outgoing.fill(0, &mut items);
                if items.is_empty() {
                    break;
                }
                prop_assert!(items.len() <= MAX_ITEMS);
                for item in Items::new(&items) {
                    let Ok(Item::Chunk { class, last, bytes, .. }) = item else {
                        panic!("only chunks go out");
                    };
                    prop_assert!(last || bytes.len() >= MIN_CHUNK);
                    found[class.index()] += size(bytes.len());
                    spent[class.index()] += size(bytes.len());
                    if last {
                        spent[class.index()] += MESSAGE_COST;
                    }
                }
            }
            for class in Class::ALL {
                let index = class.index();
                prop_assert!(spent[index] <= class.window());
                // Everything, or as much as the credit allows.
                let stuck = outgoing.queues[index].messages.front().is_some();
                prop_assert!(stuck || found[index] == expected[index]);
            }
        }
    }
}
