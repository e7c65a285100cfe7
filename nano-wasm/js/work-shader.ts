// The work kernel for graphics processors, as WGSL text.
//
// They have no 64-bit numbers: a word is a `vec2<u32>`, low half first. As in `nano-pow/src/lanes.rs` the additions of
// message words that are always zero are left out, and of the last round what the digest's one word does not need
// falls to the compiler.

/** Invocations of a workgroup; one tries one nonce. */
export const GROUP = 64;

const IV = [
	0x6a09e667f3bcc908n,
	0xbb67ae8584caa73bn,
	0x3c6ef372fe94f82bn,
	0xa54ff53a5f1d36f1n,
	0x510e527fade682d1n,
	0x9b05688c2b3e6c1fn,
	0x1f83d9abfb41bd6bn,
	0x5be0cd19137e2179n,
];
/** First word of the chaining value: digest of eight bytes, no key, sequential mode. */
const H0 = 0x6a09e667f3bcc908n ^ 0x01010008n;
/** Length of the message: eight bytes of nonce, 32 of root. */
const MESSAGE_LENGTH = 40n;
/** Words of the message that are not always zero. */
const WORDS = 5;
/** Order of the message words in each round (RFC 7693, section 2.7), a hex digit each. */
const SIGMA = [
	"0123456789abcdef",
	"ea489fd61c02b753",
	"b8c052fdae367194",
	"7931dcbe265a40f8",
	"905724afe1bc683d",
	"2c6a0b834d75fe19",
	"c51fed4a0763928b",
	"db7ec13950f4862a",
	"6fe9b308c2d714a5",
	"a2847615fb9e3cd0",
	"0123456789abcdef",
	"ea489fd61c02b753",
];
const PLACES = [
	[0, 4, 8, 12],
	[1, 5, 9, 13],
	[2, 6, 10, 14],
	[3, 7, 11, 15],
	[0, 5, 10, 15],
	[1, 6, 11, 12],
	[2, 7, 8, 13],
	[3, 4, 9, 14],
];

const vector = (word: bigint) => `vec2<u32>(${word & 0xffffffffn}u, ${word >> 32n}u)`;

function mix(round: string, place: number): string {
	const [a, b, c, d] = (PLACES[place] ?? []).map((index) => `v${index}`);
	const sum = (at: number) => {
		const word = Number.parseInt(round[2 * place + at] ?? "", 16);
		const plain = `add(${a}, ${b})`;
		return `${a} = ${word < WORDS ? `add(${plain}, m${word})` : plain};`;
	};
	return [
		sum(0),
		`${d} = (${d} ^ ${a}).yx;`,
		`${c} = add(${c}, ${d});`,
		`${b} = right(${b} ^ ${c}, 24u);`,
		sum(1),
		`${d} = right(${d} ^ ${a}, 16u);`,
		`${c} = add(${c}, ${d});`,
		`${b} = right((${b} ^ ${c}).yx, 31u);`,
	].join(" ");
}

function start(index: number): bigint {
	const word = index === 0 ? H0 : (IV[index % 8] ?? 0n);
	if (index === 12) return word ^ MESSAGE_LENGTH;
	return index === 14 ? word ^ 0xffffffffffffffffn : word;
}

/**
 * Tries as many nonces as there are invocations, from `start` on. `found` becomes the least index of one that reaches
 * `threshold`; whoever reads it sets it to all ones before.
 */
export function shader(): string {
	const words = Array.from(
		{ length: 16 },
		(_, index) => `var v${index} = ${vector(start(index))};`,
	);
	const rounds = SIGMA.map((round) => PLACES.map((_, place) => mix(round, place)).join("\n"));
	return `
struct Search { root_01: vec4<u32>, root_23: vec4<u32>, threshold: vec2<u32>, start: vec2<u32> }
@group(0) @binding(0) var<uniform> search: Search;
@group(0) @binding(1) var<storage, read_write> found: atomic<u32>;
fn add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
	let low = a.x + b.x;
	return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}
fn right(a: vec2<u32>, count: u32) -> vec2<u32> {
	return (a >> vec2<u32>(count)) | (a.yx << vec2<u32>(32u - count));
}
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
	let m0 = add(search.start, vec2<u32>(id.x, 0u));
	let m1 = search.root_01.xy;
	let m2 = search.root_01.zw;
	let m3 = search.root_23.xy;
	let m4 = search.root_23.zw;
	${words.join("\n")}
	${rounds.join("\n")}
	let digest = ${vector(H0)} ^ v0 ^ v8;
	if (digest.y > search.threshold.y || (digest.y == search.threshold.y && digest.x >= search.threshold.x)) {
		atomicMin(&found, id.x);
	}
}`;
}
