//! What tests ask nodes to do.

use std::ops::Range;

use nano_core::{Account, Block, BlockHash, Network, UnixMillis};
use nanonet::Crypto;
use nanonet::{AccountAnswer, Event, GetError, GetOptions, Identity, Input, RequestId, Sighting};

use super::{Happening, Place, World};

impl<C: Crypto> World<C> {
    /// Hands something to a node now.
    pub fn input(&mut self, place: Place, input: Input) {
        let starts = self.members[place].starts;
        self.happen(Happening::Input(place, starts, Box::new(input)));
    }

    /// Asks a node and runs until it answers.
    pub fn get(
        &mut self,
        place: Place,
        account: Account,
        options: GetOptions,
    ) -> Result<AccountAnswer, GetError> {
        let request = self.ask(place, account, options);
        self.answer_to(place, request)
    }

    /// Asks a node.
    pub fn ask(&mut self, place: Place, account: Account, options: GetOptions) -> RequestId {
        let member = &mut self.members[place];
        member.last_request += 1;
        let request = RequestId(member.last_request);
        self.input(
            place,
            Input::Get {
                request,
                account,
                options,
            },
        );
        request
    }

    /// Runs until a node answers.
    pub fn answer_to(&mut self, place: Place, asked: RequestId) -> Result<AccountAnswer, GetError> {
        let until = self.now.plus(70_000);
        loop {
            let answer = self.events(place).find_map(|event| match event {
                Event::Answer { request, result } if *request == asked => Some(result.clone()),
                _ => None,
            });
            if let Some(answer) = answer {
                return answer.map(|answer| *answer);
            }
            assert!(self.now < until, "every question is answered");
            self.run(10);
        }
    }

    /// Publishes a block.
    pub fn publish(&mut self, place: Place, block: Block) -> BlockHash {
        let member = &mut self.members[place];
        member.last_request += 1;
        let request = RequestId(member.last_request);
        let hash = block.hash();
        let block = Box::new(block);
        self.input(place, Input::Publish { request, block });
        hash
    }

    /// Opens account `number` with 500 nano and lets the first bridge learn of it.
    pub fn confirmed_account(&mut self, number: u64) -> Account {
        let account = self.ledger.open(number, 500);
        self.confirm(0, account);
        account
    }

    /// The same with many.
    pub fn confirmed_accounts(&mut self, numbers: Range<u64>) -> Vec<Account> {
        numbers
            .map(|number| self.confirmed_account(number))
            .collect()
    }

    /// Lets bridge `place` learn of an account from the full nodes' live stream.
    pub fn confirm(&mut self, bridge: Place, account: Account) {
        if let Some(confirmed) = self.ledger.confirmed(&account) {
            self.confirmed_at.insert(account, self.now);
            self.input(bridge, confirmed);
        }
    }

    /// The same, and the bridge states that it saw the frontier just now.
    pub fn confirm_seen(&mut self, bridge: Place, account: Account) {
        let identity = Identity::from_bytes(&self.members[bridge].identity);
        let (Ok(identity), Some(confirmed)) = (identity, self.ledger.confirmed(&account)) else {
            return;
        };
        let Input::Confirmed {
            mut record,
            receivable,
        } = confirmed
        else {
            return;
        };
        let (weight, frontier) = (self.ledger.weights().total(), Some(record.hash()));
        let (network, now) = (Network::Dev, self.now);
        let seen = Sighting::sign(&identity, network, account, frontier, now, weight, weight);
        record.sightings.push(seen);
        self.confirmed_at.insert(account, now);
        self.input(bridge, Input::Confirmed { record, receivable });
    }

    /// When a bridge learned last of an account.
    #[must_use]
    pub fn confirmed_at(&self, account: &Account) -> Option<UnixMillis> {
        self.confirmed_at.get(account).copied()
    }
}
