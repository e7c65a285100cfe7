// A QR code, drawn as one path on a white ground so that any camera reads it in dark mode too.

import { encodeQR } from "qr";

/** Draws `text`; `label` is what a screen reader says. Long texts give up repair for size. */
export function Qr({ text, label }: { text: string; label: string }) {
	const dots = encodeQR(text, "raw", { ecc: text.length > LONG ? "low" : "medium", border: 2 });
	const path = dots
		.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")))
		.join("");
	return (
		<svg
			class={`qr ${text.length > LONG ? "dense" : ""}`}
			viewBox={`0 0 ${dots.length} ${dots.length}`}
			role="img"
			aria-label={label}
			shape-rendering="crispEdges"
		>
			<rect width={dots.length} height={dots.length} fill="#fff" />
			<path d={path} fill="#000" />
		</svg>
	);
}

/** Characters from which on a code is drawn larger. */
const LONG = 300;
