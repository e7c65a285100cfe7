// The test page's look into IndexedDB itself: which accounts does this tab really hold?

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const promised = (request) =>
	new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});

/** Public keys (64 hex digits) of the accounts in the slices of this origin. */
export async function heldAccounts() {
	/** @type {string[]} */
	const keys = [];
	for (const { name } of await indexedDB.databases()) {
		if (!name?.startsWith("nanonet")) continue;
		const database = await promised(indexedDB.open(name));
		for (const store of database.objectStoreNames) {
			const all = await promised(database.transaction(store).objectStore(store).getAllKeys());
			keys.push(...all.map(String));
		}
		database.close();
	}
	return keys
		.filter((key) => key.startsWith("account/"))
		.map((key) => key.slice("account/".length).toUpperCase());
}
