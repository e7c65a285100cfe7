// Addresses that are made to be mistaken for another one.
//
// Two tricks: letters of other alphabets that look alike, and an address whose ends were ground until they equal those
// of one the person knows, sent from once so that it stands in the history. A checksum stops neither the second nor a
// careless eye; so both are said before anything is paid.

/** What is suspicious about an address. */
export type Suspicion =
	| { kind: "foreign"; character: string }
	| { kind: "alike"; address: string; name: string };

/** An address the person knows, by a name. */
export interface Known {
	address: string;
	name: string;
}

const PREFIX = /^(nano|xrb)_/i;
/** Characters of an address; 0, 2, l and v are left out of Nano's alphabet because they look like others. */
const ALPHABET = /[13456789abcdefghijkmnopqrstuwxyz]/;
/** Characters after `nano_` whose first is always 1 or 3. */
const HEAD = 5;
const TAIL = 5;

const ends = (address: string) => {
	const body = address.replace(PREFIX, "");
	return { head: body.slice(0, HEAD), tail: body.slice(-TAIL) };
};
const same = (one: string, other: string) => one.replace(PREFIX, "") === other.replace(PREFIX, "");

/** What to tell the person about an address before it is paid to; nothing if it is known, or like none that is. */
export function suspicion(address: string, known: Known[]): Suspicion | undefined {
	const foreign = [...address.trim().toLowerCase().replace(PREFIX, "")].find(
		(character) => !ALPHABET.test(character),
	);
	if (foreign) return { kind: "foreign", character: foreign };
	if (known.some((one) => same(one.address, address))) return undefined;
	const own = ends(address);
	const alike = known.find((one) => {
		const { head, tail } = ends(one.address);
		return head === own.head || tail === own.tail;
	});
	return alike && { kind: "alike", ...alike };
}
