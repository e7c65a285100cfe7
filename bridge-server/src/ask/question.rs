//! What full nodes are asked, and whether an answer fits.
//!
//! An answer fits when it is about what was asked, and everything in it that can be checked
//! without asking again holds: the hash of a block, the links between blocks, the signature of a
//! block that names its account. What stays a hint is what an account's newest confirmed block is;
//! votes decide that.

use nano_core::message::{AccountInfo, AscPullAnswer, AscPullQuestion, PullTarget};
use nano_core::{Account, Block, BlockHash, Network};

/// A question, small enough to be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    /// Heads and heights of an account.
    Account(Account),
    /// The account of a block.
    AccountOf(BlockHash),
    /// Blocks upwards from this one, at most so many.
    Blocks(BlockHash, u8),
    /// Blocks upwards from the account's first, at most so many.
    FirstBlocks(Account, u8),
}

/// An answer that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Info(AccountInfo),
    /// Not empty; each follows the one before.
    Blocks(Vec<Block>),
}

/// What an answer is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is what was asked for.
    Fits(Reply),
    /// The full node says that it does not know; another may.
    Unknown,
    /// It is about something else, or does not hold.
    Wrong,
}

impl Question {
    /// As it goes over the wire.
    pub(super) const fn pull(self) -> AscPullQuestion {
        match self {
            Self::Account(account) => AscPullQuestion::AccountInfo {
                target: PullTarget::Account(account),
            },
            Self::AccountOf(hash) => AscPullQuestion::AccountInfo {
                target: PullTarget::Block(hash),
            },
            Self::Blocks(hash, count) => AscPullQuestion::Blocks {
                start: PullTarget::Block(hash),
                count,
            },
            Self::FirstBlocks(account, count) => AscPullQuestion::Blocks {
                start: PullTarget::Account(account),
                count,
            },
        }
    }

    /// Judges an answer.
    pub(super) fn judge(self, answer: AscPullAnswer, network: Network) -> Verdict {
        match (self, answer) {
            (Self::Account(account), AscPullAnswer::AccountInfo(info)) => {
                if info.account != account {
                    Verdict::Wrong
                } else if info.confirmed_frontier.is_zero() {
                    Verdict::Unknown
                } else {
                    Verdict::Fits(Reply::Info(info))
                }
            }
            (Self::AccountOf(_), AscPullAnswer::AccountInfo(info)) => {
                if info.account.is_zero() {
                    Verdict::Unknown
                } else {
                    Verdict::Fits(Reply::Info(info))
                }
            }
            (Self::Blocks(hash, count), AscPullAnswer::Blocks(blocks)) => {
                chain(blocks, count, network, |first| first.hash() == hash)
            }
            (Self::FirstBlocks(account, count), AscPullAnswer::Blocks(blocks)) => {
                chain(blocks, count, network, |first| {
                    first.account() == Some(account) && first.root() == account.into()
                })
            }
            _ => Verdict::Wrong,
        }
    }
}

fn chain(
    mut blocks: Vec<Block>,
    count: u8,
    network: Network,
    fits: impl Fn(&Block) -> bool,
) -> Verdict {
    let Some(first) = blocks.first() else {
        return Verdict::Unknown;
    };
    if !fits(first) || !may_be_signed(first, network) {
        return Verdict::Wrong;
    }
    // What comes after a gap or a forged signature is of no use.
    let sound = blocks
        .windows(2)
        .take_while(|pair| {
            pair[1].previous() == Some(pair[0].hash()) && may_be_signed(&pair[1], network)
        })
        .count();
    blocks.truncate(usize::from(count).min(sound + 1));
    Verdict::Fits(Reply::Blocks(blocks))
}

/// False for a block whose signature cannot be its own: hashes do not cover signatures, so anyone
/// could hand out a confirmed block with a spoiled one. A legacy block that names no account
/// cannot be judged and counts as signed; what is proven of it does not rest on its signature.
pub(crate) fn may_be_signed(block: &Block, network: Network) -> bool {
    let Some(account) = block.account() else {
        return true;
    };
    let hash = block.hash();
    // The genesis block was put there, not received.
    if hash == network.genesis_hash() {
        return true;
    }
    let holds = |key: nano_core::PublicKey| key.verify(hash.as_bytes(), block.signature()).is_ok();
    let epoch = match block {
        Block::State(state) => state.link.epoch(),
        _ => None,
    };
    holds(account.public_key()) || epoch.is_some_and(|epoch| holds(network.epoch_signer(epoch)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::{PrivateKey, Raw, Signature, StateBlock};

    fn key() -> PrivateKey {
        PrivateKey::from_bytes([7; 32])
    }

    fn block(previous: BlockHash) -> Block {
        let me = key().account();
        StateBlock::unsigned(me, previous, me, Raw::new(5), me.into())
            .sign(&key())
            .into()
    }

    fn judge(question: Question, answer: AscPullAnswer) -> Verdict {
        question.judge(answer, Network::Dev)
    }

    #[test]
    fn an_answer_about_another_account_is_wrong() {
        let info = AccountInfo {
            account: Account::from_bytes([66; 32]),
            confirmed_frontier: BlockHash::from_bytes([67; 32]),
            ..AccountInfo::default()
        };
        let answer = AscPullAnswer::AccountInfo(info);
        let asked = Question::Account(key().account());
        assert_eq!(judge(asked, answer.clone()), Verdict::Wrong);
        let same = Question::Account(info.account);
        assert_eq!(judge(same, answer), Verdict::Fits(Reply::Info(info)));
    }

    #[test]
    fn another_block_than_the_one_asked_for_is_wrong() {
        let asked = Question::Blocks(BlockHash::from_bytes([1; 32]), 1);
        let answer = AscPullAnswer::Blocks(vec![block(BlockHash::ZERO)]);
        assert_eq!(judge(asked, answer), Verdict::Wrong);
    }

    #[test]
    fn a_confirmed_block_with_a_spoiled_signature_is_wrong() {
        let mut spoiled = block(BlockHash::ZERO);
        let asked = Question::Blocks(spoiled.hash(), 1);
        let good = AscPullAnswer::Blocks(vec![spoiled]);
        assert!(matches!(judge(asked, good), Verdict::Fits(_)));
        spoiled.set_signature(Signature::from_bytes([9; 64]));
        let bad = AscPullAnswer::Blocks(vec![spoiled]);
        assert_eq!(judge(asked, bad), Verdict::Wrong);
    }

    #[test]
    fn what_comes_after_a_gap_is_cut_off() {
        let first = block(BlockHash::ZERO);
        let second = block(first.hash());
        let stray = block(BlockHash::from_bytes([4; 32]));
        let asked = Question::FirstBlocks(key().account(), 9);
        let answer = AscPullAnswer::Blocks(vec![first, second, stray]);
        let fits = Verdict::Fits(Reply::Blocks(vec![first, second]));
        assert_eq!(judge(asked, answer), fits);
        // A later block is no first one.
        let later = AscPullAnswer::Blocks(vec![second]);
        assert_eq!(judge(asked, later), Verdict::Wrong);
    }
}
