//! What every [`Store`] promises, as one suite that each implementation runs.

use super::address::RelayAddress;
use super::store::{Change, Store, StoreFault};

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{promise}: {found}")]
pub struct Broken {
    /// Which.
    pub promise: &'static str,
    /// What was found instead.
    pub found: String,
}

fn address(number: u16) -> RelayAddress {
    let mut bytes = [0x5a; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    RelayAddress::from_bytes(bytes)
}

fn put(number: u16, bytes: &[u8]) -> Change {
    Change {
        address: address(number),
        value: Some(bytes.to_vec()),
    }
}

const fn gone(address: RelayAddress) -> Change {
    Change {
        address,
        value: None,
    }
}

/// Runs the suite. `open` opens the same place anew each time; the first time it is empty.
///
/// # Errors
/// The first promise that was not kept, or the store's own fault as one.
pub async fn conformance<S: Store>(
    mut open: impl AsyncFnMut() -> Result<S, StoreFault>,
) -> Result<(), Broken> {
    let fault = |promise| {
        move |fault: StoreFault| Broken {
            promise,
            found: fault.to_string(),
        }
    };
    let promise = "a new store is empty";
    let mut store = open().await.map_err(fault(promise))?;
    expect(promise, &store.load().await.map_err(fault(promise))?, &[])?;

    let promise = "what was applied is there after it is opened anew, in the order of addresses";
    let changes = [put(2, b"two"), put(1, b"one"), put(3, &[7; 2048])];
    store.apply(&changes).await.map_err(fault(promise))?;
    drop(store);
    let mut store = open().await.map_err(fault(promise))?;
    let all: [(u16, &[u8]); 3] = [(1, b"one"), (2, b"two"), (3, &[7; 2048])];
    expect(promise, &store.load().await.map_err(fault(promise))?, &all)?;

    let promise = "changes apply in order, and the last one of an address counts";
    let changes = [
        put(1, b"other"),
        gone(address(2)),
        put(4, b"short"),
        gone(address(4)),
        put(2, b"again"),
        gone(address(9)),
    ];
    store.apply(&changes).await.map_err(fault(promise))?;
    let all: [(u16, &[u8]); 3] = [(1, b"other"), (2, b"again"), (3, &[7; 2048])];
    expect(promise, &store.load().await.map_err(fault(promise))?, &all)?;
    drop(store);
    let mut store = open().await.map_err(fault(promise))?;
    expect(promise, &store.load().await.map_err(fault(promise))?, &all)?;

    let promise = "empty bytes are kept as such, and no change is a change";
    store.apply(&[]).await.map_err(fault(promise))?;
    let changes = [put(5, b""), gone(address(3))];
    store.apply(&changes).await.map_err(fault(promise))?;
    let all: [(u16, &[u8]); 3] = [(1, b"other"), (2, b"again"), (5, b"")];
    expect(promise, &store.load().await.map_err(fault(promise))?, &all)?;

    let promise = "a thousand changes at once are one";
    let many: Vec<Change> = (100..1_100).map(|number| put(number, &[1; 700])).collect();
    store.apply(&many).await.map_err(fault(promise))?;
    drop(store);
    let mut store = open().await.map_err(fault(promise))?;
    let found = store.load().await.map_err(fault(promise))?.len();
    if found != 1_003 {
        let found = format!("{found} of 1003 are there");
        return Err(Broken { promise, found });
    }
    Ok(())
}

fn expect(
    promise: &'static str,
    found: &[(RelayAddress, Vec<u8>)],
    wanted: &[(u16, &[u8])],
) -> Result<(), Broken> {
    let same = found.len() == wanted.len()
        && found
            .iter()
            .zip(wanted)
            .all(|((at, bytes), (number, want))| *at == address(*number) && bytes == want);
    if same {
        return Ok(());
    }
    let found = format!(
        "{} instead of {} entries, or others",
        found.len(),
        wanted.len()
    );
    Err(Broken { promise, found })
}
