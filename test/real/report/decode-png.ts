import { inflateSync } from "node:zlib";

type Color = readonly [red: number, green: number, blue: number];

/** The pixels of a screenshot: PNG of 8 bits a channel, not interlaced, which is what Chromium makes. */
export function decodePng(png: Buffer) {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const channels = CHANNELS[png.readUInt8(25)] ?? 0;
  if (channels === 0 || png.readUInt8(24) !== 8 || png.readUInt8(28) !== 0)
    throw new TypeError("Another PNG");
  const pixels = unfilter(inflateSync(dataOf(png)), { width, height, channels });
  const colorAt = (x: number, y: number): Color => {
    const at = (y * width + x) * channels;
    return [pixels[at] ?? 0, pixels[at + 1] ?? 0, pixels[at + 2] ?? 0];
  };
  const all = function* () {
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) yield colorAt(x, y);
  };
  return {
    width,
    height,
    colorAt,
    column: (x: number): Color[] => Array.from({ length: height }, (_, y) => colorAt(x, y)),
    /** How many different ones there are. */
    colors: (): number => new Set([...all()].map(String)).size,
    shareOf: (color: Color): number =>
      [...all()].filter((one) => String(one) === String(color)).length / (width * height),
    /** From 0, black, to 1, white. */
    brightness: (): number => {
      let sum = 0;
      for (const [red, green, blue] of all()) sum += red + green + blue;
      return sum / (width * height * 3 * 255);
    },
  };
}

/** By the colour type of PNG: grey, RGB and RGBA without a palette. */
const CHANNELS: Readonly<Record<number, number>> = { 2: 3, 6: 4 };

function dataOf(png: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return Buffer.concat(parts);
}

/** Each line encodes its bytes relative to those to the left and above, with one of five filters (PNG, section 9). */
function unfilter(
  raw: Buffer,
  { width, height, channels }: { width: number; height: number; channels: number },
): Uint8Array {
  const stride = width * channels;
  const pixels = new Uint8Array(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x += 1) {
      const left = x < channels ? 0 : (pixels[y * stride + x - channels] ?? 0);
      const up = y === 0 ? 0 : (pixels[(y - 1) * stride + x] ?? 0);
      const corner = y === 0 || x < channels ? 0 : (pixels[(y - 1) * stride + x - channels] ?? 0);
      const byte = raw[y * (stride + 1) + 1 + x] ?? 0;
      pixels[y * stride + x] = byte + predict(filter, left, up, corner);
    }
  }
  return pixels;
}

function predict(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4: {
      const guess = left + up - corner;
      const [toLeft, toUp, toCorner] = [left, up, corner].map((one) => Math.abs(guess - one)) as [
        number,
        number,
        number,
      ];
      return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }
    default:
      return 0;
  }
}
