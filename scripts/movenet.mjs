// MoveNet in Node: squares of RGB bytes on stdin, keypoints (17 x x, y in px, score; float32) on stdout.
//
//     node movenet.mjs MODEL.json SIDE        (for teach_poses.py, which starts it)
//
// Needs @tensorflow/tfjs-core, -converter and -backend-wasm beside the folder it is started in.
import fs from "fs";
import path from "path";
import { createRequire } from "module";
import { pathToFileURL } from "url";

const require = createRequire(path.join(process.cwd(), "x.js"));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const tf = await load("@tensorflow/tfjs-core");
const { loadGraphModel } = await load("@tensorflow/tfjs-converter");
const wasm = await load("@tensorflow/tfjs-backend-wasm");

const [modelPath, side] = [process.argv[2], Number(process.argv[3])];
wasm.setWasmPaths(path.join(process.cwd(), "node_modules/@tensorflow/tfjs-backend-wasm/dist/"));
await tf.setBackend("wasm");

const description = JSON.parse(fs.readFileSync(modelPath));
const files = description.weightsManifest.flatMap((group) => group.paths);
const weights = Buffer.concat(
  files.map((file) => fs.readFileSync(path.join(path.dirname(modelPath), file))),
);
const model = await loadGraphModel({
  load: async () => ({
    ...description,
    weightSpecs: description.weightsManifest.flatMap((group) => group.weights),
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
  }),
});

const bytes = side * side * 3;
let pending = Buffer.alloc(0);
for await (const chunk of process.stdin) {
  pending = Buffer.concat([pending, chunk]);
  while (pending.length >= bytes) {
    const pixels = Int32Array.from(pending.subarray(0, bytes));
    const answer = tf.tidy(() => model.execute(tf.tensor4d(pixels, [1, side, side, 3], "int32")));
    const found = await answer.data(); // y, x in shares of the square, score
    const points = Float32Array.from(found, (_, i) =>
      i % 3 === 2 ? found[i] : side * found[i % 3 === 0 ? i + 1 : i - 1],
    );
    fs.writeSync(1, Buffer.from(points.buffer));
    answer.dispose();
    pending = pending.subarray(bytes);
  }
}
