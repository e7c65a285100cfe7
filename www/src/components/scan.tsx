// Reads a QR code with the camera, or out of a picture. The browser's own reader does it where there is one, otherwise
// a decoder that is loaded then.
//
// States: closed -> looking -> found (closed again) | failed with the reason.

import { useEffect, useRef, useState } from "preact/hooks";
import { explain, t } from "../lib/i18n.js";
import { Problem } from "./problem.js";

/** How often a picture of the camera is looked at. */
const LOOK_MS = 200;
/** Longest side of a picture that is looked at: larger ones are made smaller. */
const MOST_PIXELS = 1_600;

interface Detector {
	detect(source: ImageBitmap | HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
const Native = (globalThis as { BarcodeDetector?: new (options: object) => Detector })
	.BarcodeDetector;

type Picture = ImageBitmap | HTMLVideoElement;

const sizeOf = (picture: Picture): [number, number] =>
	picture instanceof HTMLVideoElement
		? [picture.videoWidth, picture.videoHeight]
		: [picture.width, picture.height];

/** What the QR code in a picture says, if there is one that can be read. */
async function read(picture: Picture): Promise<string | undefined> {
	if (Native) {
		const found = await new Native({ formats: ["qr_code"] }).detect(picture).catch(() => []);
		if (found[0]) return found[0].rawValue;
	}
	const { decodeQR } = await import("qr/decode.js");
	const [wide, high] = sizeOf(picture);
	const scale = Math.min(1, MOST_PIXELS / Math.max(wide, high));
	const canvas = new OffscreenCanvas(
		Math.max(1, Math.round(wide * scale)),
		Math.max(1, Math.round(high * scale)),
	);
	const context = canvas.getContext("2d");
	if (!context) return undefined;
	context.drawImage(picture, 0, 0, canvas.width, canvas.height);
	try {
		return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height));
	} catch {
		return undefined;
	}
}

/** A button that opens the scanner; `found` gets the text. */
export function Scan({ found, name }: { found: (text: string) => void; name: string }) {
	const [open, setOpen] = useState(false);
	return (
		<div class="scan">
			<button type="button" class="small" aria-expanded={open} onClick={() => setOpen(!open)}>
				{open ? t("scan.close") : name}
			</button>
			{open && (
				<Scanner
					found={(text) => {
						setOpen(false);
						found(text);
					}}
				/>
			)}
		</div>
	);
}

function Scanner({ found }: { found: (text: string) => void }) {
	const video = useRef<HTMLVideoElement>(null);
	const [camera, setCamera] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);

	useEffect(() => {
		if (!camera) return;
		let stream: MediaStream | undefined;
		let timer: ReturnType<typeof setTimeout> | undefined;
		let over = false;
		const look = async () => {
			const text = video.current?.videoWidth ? await read(video.current) : undefined;
			if (over) return;
			if (text) found(text);
			else timer = setTimeout(look, LOOK_MS);
		};
		const stop = () => {
			for (const track of stream?.getTracks() ?? []) track.stop();
		};
		const start = async () => {
			stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
			// Closed meanwhile: the camera goes off again.
			if (over || !video.current) return stop();
			video.current.srcObject = stream;
			await video.current.play();
			await look();
		};
		start().catch((error) => {
			setCamera(false);
			setProblem(t("scan.noCamera", { why: explain(error) }));
		});
		return () => {
			over = true;
			clearTimeout(timer);
			stop();
		};
	}, [camera]);

	const picture = async (file: File | undefined) => {
		if (!file) return;
		setProblem(null);
		const text = await createImageBitmap(file).then(read, () => undefined);
		if (text) found(text);
		else setProblem(t("scan.nothing"));
	};
	return (
		<div class="scanner">
			{camera ? (
				<video ref={video} muted playsInline aria-label={t("scan.picture")} />
			) : (
				<button type="button" onClick={() => setCamera(true)}>
					{t("scan.camera")}
				</button>
			)}
			<label class="file">
				{t("scan.file")}
				<input
					type="file"
					accept="image/*"
					onChange={(event) => void picture(event.currentTarget.files?.[0])}
				/>
			</label>
			<Problem text={problem} />
		</div>
	);
}
