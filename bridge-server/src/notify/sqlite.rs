//! The store in a SQLite file.

use std::path::{Path, PathBuf};

use nanonet::notify::{Change, RelayAddress, Store, StoreFault};
use rusqlite::{Connection, ErrorCode, params};

/// Version of the table this build writes.
const SCHEMA: i64 = 1;
/// Name of the file in the data folder.
pub const FILE: &str = "notifications.sqlite";

/// Notifications in one SQLite file; see [`Store`] for what it promises.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens or creates the file in `folder`; `None` = in memory. Reads all of it once to see that it is whole.
    ///
    /// # Errors
    /// [`StoreFault`], naming the file. A damaged file is left as it is.
    pub fn open(folder: Option<&Path>) -> Result<Self, StoreFault> {
        let path = folder.map_or_else(|| PathBuf::from(":memory:"), |folder| folder.join(FILE));
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .map_err(|error| StoreFault::Failed(format!("{}: {error}", folder.display())))?;
        }
        let connection = Connection::open(&path).map_err(|error| fault(&path, &error))?;
        let mut store = Self { connection, path };
        store.prepare()?;
        Ok(store)
    }

    fn prepare(&mut self) -> Result<(), StoreFault> {
        let failed = |error| fault(&self.path, &error);
        let found: i64 = self
            .connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        if found > SCHEMA {
            let known = SCHEMA;
            return Err(StoreFault::Newer { found, known });
        }
        let whole: String = self
            .connection
            .pragma_query_value(None, "integrity_check", |row| row.get(0))
            .map_err(failed)?;
        if whole != "ok" {
            let path = self.path.display();
            return Err(StoreFault::Damaged(format!("{path}: {whole}")));
        }
        self.connection
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL;
                 CREATE TABLE IF NOT EXISTS notification (
                     address BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
                 PRAGMA user_version = 1;",
            )
            .map_err(failed)
    }

    /// Lets the file grow to so many pages of 4 KiB at most, as a disk does that is full then.
    ///
    /// # Errors
    /// [`StoreFault`].
    #[cfg(test)]
    fn limit_pages(&self, pages: u32) -> Result<(), StoreFault> {
        let limit = self.connection.pragma_update(None, "max_page_count", pages);
        limit.map_err(|error| fault(&self.path, &error))
    }

    fn apply_now(&mut self, changes: &[Change]) -> Result<(), StoreFault> {
        let path = self.path.clone();
        let failed = |error| fault(&path, &error);
        let transaction = self.connection.transaction().map_err(failed)?;
        {
            let mut put = transaction
                .prepare_cached("INSERT OR REPLACE INTO notification VALUES (?1, ?2)")
                .map_err(failed)?;
            let mut remove = transaction
                .prepare_cached("DELETE FROM notification WHERE address = ?1")
                .map_err(failed)?;
            for change in changes {
                let address = change.address.as_bytes().as_slice();
                match &change.value {
                    Some(bytes) => put.execute(params![address, bytes]),
                    None => remove.execute(params![address]),
                }
                .map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)
    }

    fn load_now(&self) -> Result<Vec<(RelayAddress, Vec<u8>)>, StoreFault> {
        let failed = |error| fault(&self.path, &error);
        let mut statement = self
            .connection
            .prepare("SELECT address, value FROM notification ORDER BY address")
            .map_err(failed)?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?)))
            .map_err(failed)?;
        let mut all = Vec::new();
        for row in rows {
            let (address, value) = row.map_err(failed)?;
            let address: [u8; 32] = address.try_into().map_err(|_| {
                let path = self.path.display();
                StoreFault::Damaged(format!("{path}: an address has not 32 bytes"))
            })?;
            all.push((RelayAddress::from_bytes(address), value));
        }
        Ok(all)
    }
}

impl Store for SqliteStore {
    async fn load(&mut self) -> Result<Vec<(RelayAddress, Vec<u8>)>, StoreFault> {
        self.load_now()
    }

    async fn apply(&mut self, changes: &[Change]) -> Result<(), StoreFault> {
        self.apply_now(changes)
    }
}

/// What an error of SQLite means for whoever runs the bridge.
fn fault(path: &Path, error: &rusqlite::Error) -> StoreFault {
    let text = format!("{}: {error}", path.display());
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreFault::Full(text),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreFault::ReadOnly(text),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreFault::Damaged(text),
        _ => StoreFault::Failed(text),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use nanonet::notify::conformance;

    use super::*;

    fn put(number: u8) -> Change {
        Change {
            address: RelayAddress::from_bytes([number; 32]),
            value: Some(vec![number; 900]),
        }
    }

    fn held(store: &SqliteStore) -> usize {
        store.load_now().unwrap().len()
    }

    #[test]
    fn the_sqlite_store_conforms() {
        let folder = tempfile::tempdir().unwrap();
        let open = async || SqliteStore::open(Some(folder.path()));
        let result = conformance(open).now_or_never();
        assert_eq!(result, Some(Ok(())));
    }

    #[test]
    fn a_full_disk_is_told_as_such_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(Some(folder.path())).unwrap();
        store.limit_pages(20).unwrap();
        let mut accepted = 0;
        let fault = (0..200).find_map(|number| match store.apply_now(&[put(number)]) {
            Ok(()) => {
                accepted += 1;
                None
            }
            Err(fault) => Some(fault),
        });
        assert!(matches!(fault, Some(StoreFault::Full(_))), "{fault:?}");
        assert_eq!(held(&store), accepted);
        store.limit_pages(1_000).unwrap();
        store.apply_now(&[put(201)]).unwrap();
        drop(store);
        let store = SqliteStore::open(Some(folder.path())).unwrap();
        assert_eq!(held(&store), accepted + 1);
    }

    #[test]
    fn a_file_that_may_only_be_read_is_told_as_such_and_still_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(Some(folder.path())).unwrap();
        store.apply_now(&[put(1)]).unwrap();
        store
            .connection
            .pragma_update(None, "query_only", true)
            .unwrap();
        let fault = store.apply_now(&[put(2)]).unwrap_err();
        assert!(matches!(fault, StoreFault::ReadOnly(_)), "{fault}");
        assert_eq!(held(&store), 1);
    }

    #[test]
    fn a_damaged_file_is_refused_with_its_name_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut store = SqliteStore::open(Some(folder.path())).unwrap();
        let many: Vec<Change> = (0..200).map(put).collect();
        store.apply_now(&many).unwrap();
        drop(store);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        for byte in &mut bad[8_192..12_288] {
            *byte = 0xa5;
        }
        for damaged in [bad, vec![7; 8_192]] {
            std::fs::write(&path, &damaged).unwrap();
            let fault = SqliteStore::open(Some(folder.path())).unwrap_err();
            assert!(matches!(fault, StoreFault::Damaged(_)), "{fault}");
            let text = fault.to_string();
            assert!(
                text.contains(FILE) && text.contains("put back a copy"),
                "{text}"
            );
            assert_eq!(std::fs::read(&path).unwrap(), damaged);
        }
    }

    #[test]
    fn a_file_of_a_newer_build_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(Some(folder.path())).unwrap();
        store
            .connection
            .pragma_update(None, "user_version", 9)
            .unwrap();
        drop(store);
        let fault = SqliteStore::open(Some(folder.path())).unwrap_err();
        assert_eq!(fault, StoreFault::Newer { found: 9, known: 1 });
    }
}
