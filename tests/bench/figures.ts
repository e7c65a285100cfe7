// The one language of all benchmarks: figures with units, and ratios against a peer or a limit of the same run.

/** One measured figure. */
export interface Figure {
	/** Stable name, as the issues and the documentation spell it. */
	name: string;
	/** Measured value. */
	value: number;
	/** Half the distance between the quartiles of what `value` is the median of. */
	spread?: number;
	/** Unit of `value` and `peer_value`. */
	unit: string;
	/** What it is compared with: another program measured in the same run, or a limit. */
	peer?: string;
	/** The peer's value. */
	peer_value?: number;
	/** `value / peer_value`. */
	ratio?: number;
}

/** A benchmark that `npm run bench -- NAME` runs. */
export interface Bench {
	/** One line for `npm run bench -- list`. */
	about: string;
	/** Names of the figures it gives. */
	figures: string[];
	/** Ratios, and values, beyond which the benchmark fails. */
	limits?: Record<string, { most?: number; least?: number; mostValue?: number }>;
	/** Measures. */
	run(): Promise<Figure[]>;
}

/** A figure with its peer and their ratio. */
export function against(figure: Figure, peer: string, peerValue: number): Figure {
	// Also of two zeros.
	const ratio = figure.value === peerValue ? 1 : round(figure.value / peerValue);
	return { ...figure, peer, peer_value: peerValue, ratio };
}

/** One sentence for every figure beyond its limit. */
export function beyond({ limits = {} }: Bench, figures: Figure[]): string[] {
	return Object.entries(limits).flatMap(([name, { most, least, mostValue }]) => {
		const figure = figures.find((one) => one.name === name);
		if (!figure) return [`${name} was not measured.`];
		if (mostValue !== undefined && figure.value > mostValue) {
			return [`${name}: ${figure.value} ${figure.unit} is above ${mostValue}.`];
		}
		if (most === undefined && least === undefined) return [];
		const { ratio } = figure;
		if (ratio === undefined) return [`${name} was not compared.`];
		if (most !== undefined && ratio > most) return [`${name}: ratio ${ratio} is above ${most}.`];
		if (least !== undefined && ratio < least) return [`${name}: ratio ${ratio} is below ${least}.`];
		return [];
	});
}

/** Rounds to four significant digits, so that a table can be read. */
export function round(value: number): number {
	return value === 0 ? 0 : Number(value.toPrecision(4));
}

/** The value below which a share of the values lies, 0 to 1. */
export function quantile(values: number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
}

/** Prints figures as a table for people. */
export function table(name: string, figures: Figure[]): string {
	const rows = [
		["figure", "value", "±", "unit", "against", "its value", "ratio"],
		...figures.map((figure) => [
			figure.name,
			figure.value.toLocaleString("en"),
			figure.spread?.toLocaleString("en") ?? "",
			figure.unit,
			figure.peer ?? "",
			figure.peer_value?.toLocaleString("en") ?? "",
			figure.ratio?.toString() ?? "",
		]),
	];
	const widths = rows[0]?.map((_, column) =>
		Math.max(...rows.map((row) => row[column]?.length ?? 0)),
	);
	const lines = rows.map((row) =>
		row
			.map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
			.join("  ")
			.trimEnd(),
	);
	return [name, ...lines].join("\n");
}
