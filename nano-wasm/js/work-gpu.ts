// A graphics processor as a searcher: asked for, checked and used.

import { shader } from "./work-shader.js";

/** Workgroups that every WebGPU lets be dispatched at once. */
const MOST_GROUPS = 65_535;
/** Bytes of `Search` in the shader. */
const SEARCH_BYTES = 48;
/** How buffers are used, and why one is mapped: `GPUBufferUsage` and `GPUMapMode` of the standard, not yet in types. */
const [MAP_READ, COPY_SRC, COPY_DST, UNIFORM, STORAGE] = [0x01, 0x04, 0x08, 0x40, 0x80] as const;
const FOR_READING = 0x01;
const NOTHING = 0xffffffff;
/** Names under which software passes for a graphics processor. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b|software|\bcpu\b/i;

/** What a search needs to know. */
export interface GpuSearch {
	/** Four little-endian words. */
	root: readonly bigint[];
	threshold: bigint;
}

/** A graphics processor that is not used; the message says why. */
export class Unfit extends Error {}

/** A graphics processor with the kernel loaded. */
export class Gpu {
	/** Its maker and kind, as far as the browser tells. */
	readonly name: string;
	/** Fulfilled with the reason when it is gone. */
	readonly lost: Promise<string>;
	readonly #device: GPUDevice;
	readonly #pipeline: GPUComputePipeline;
	readonly #search: GPUBuffer;
	readonly #found: GPUBuffer;
	readonly #read: GPUBuffer;
	readonly #bound: GPUBindGroup;

	private constructor(name: string, device: GPUDevice, pipeline: GPUComputePipeline) {
		this.name = name;
		this.#device = device;
		this.#pipeline = pipeline;
		this.lost = device.lost.then(({ message }) => message || "The graphics processor was lost.");
		this.#search = device.createBuffer({ size: SEARCH_BYTES, usage: UNIFORM | COPY_DST });
		this.#found = device.createBuffer({ size: 4, usage: STORAGE | COPY_DST | COPY_SRC });
		this.#read = device.createBuffer({ size: 4, usage: MAP_READ | COPY_DST });
		this.#bound = device.createBindGroup({
			layout: pipeline.getBindGroupLayout(0),
			entries: [
				{ binding: 0, resource: { buffer: this.#search } },
				{ binding: 1, resource: { buffer: this.#found } },
			],
		});
	}

	/**
	 * Asks for one.
	 * @param software whether what only imitates one is taken too
	 */
	static async open(software: boolean): Promise<Gpu> {
		const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
		if (!adapter) throw new Unfit("This browser offers no graphics processor.");
		const { vendor, architecture, device: model, description, isFallbackAdapter } = adapter.info;
		const name = [vendor, architecture, model, description].filter(Boolean).join(" ") || "unnamed";
		if (!software && (isFallbackAdapter || SOFTWARE.test(name))) {
			throw new Unfit(`It is imitated by software (${name}), which is slower than threads.`);
		}
		const device = await adapter.requestDevice();
		const module = device.createShaderModule({ code: shader() });
		const compute = { module, entryPoint: "main" };
		const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute });
		return new Gpu(name, device, pipeline);
	}

	/**
	 * Tries `groups` workgroups of nonces from `start` on (wrapping).
	 * @returns the first that reaches the threshold
	 */
	async first(
		{ root, threshold }: GpuSearch,
		start: bigint,
		groups: number,
	): Promise<bigint | undefined> {
		const words = BigUint64Array.from([...root, threshold, start]);
		const { queue } = this.#device;
		queue.writeBuffer(this.#search, 0, words);
		queue.writeBuffer(this.#found, 0, Uint32Array.of(NOTHING));
		const encoder = this.#device.createCommandEncoder();
		const pass = encoder.beginComputePass();
		pass.setPipeline(this.#pipeline);
		pass.setBindGroup(0, this.#bound);
		pass.dispatchWorkgroups(Math.min(groups, MOST_GROUPS));
		pass.end();
		encoder.copyBufferToBuffer(this.#found, 0, this.#read, 0, 4);
		queue.submit([encoder.finish()]);
		await this.#read.mapAsync(FOR_READING);
		const [index = NOTHING] = new Uint32Array(this.#read.getMappedRange().slice(0));
		this.#read.unmap();
		return index === NOTHING ? undefined : BigInt.asUintN(64, start + BigInt(index));
	}
}

/** Groups of a dispatch that takes about `millis`, after one of `groups` took `took`; at most doubled. */
export function fit(groups: number, took: number, millis: number): number {
	const scaled = took > 0 ? Math.round((groups * millis) / took) : 2 * groups;
	return Math.max(1, Math.min(MOST_GROUPS, 2 * groups, scaled));
}
