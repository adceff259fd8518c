import { decompressStream } from '@napi-rs/lzma/xz';
import { FlywheelError, messageOf, type ByteStream } from '@flywheel/base';

/** How the decoder says that its input ended in the middle of something. */
const CUT = 'failed to fill whole buffer';

/**
 * The plain bytes of an .xz file. Throws `invalid-input` for what is not one, and what `body` throws.
 *
 * The library's own Node stream is not used: it puts two more queues, each with an end of its own,
 * between the body and the decoder. Here the decoder asks for one piece at a time, and the end is
 * said once, when it asks for more than there is.
 */
export async function* decompressXz(body: ByteStream): AsyncGenerator<Uint8Array> {
  const input = new XzInput(body);
  try {
    yield* decompressStream(input.stream);
  } catch (cause) {
    if (input.failure !== undefined) throw input.failure.error;
    const reason = messageOf(cause);
    const what = reason.includes(CUT) ? 'it ends in the middle' : reason;
    throw new FlywheelError(
      'invalid-input',
      `the body is not valid xz: ${what} (it has ${input.bytes} bytes${input.hasEnded ? '' : ' so far'})`,
      { cause },
    );
  } finally {
    input.stop();
  }
}

/** A body as the decoder wants it. */
class XzInput {
  readonly stream: ReadableStream<Uint8Array>;
  bytes = 0;
  hasEnded = false;
  /** What the body threw: the decoder hands on no more than its message. */
  failure: { readonly error: unknown } | undefined;
  readonly #pieces: AsyncGenerator<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(body: ByteStream) {
    this.#pieces = piecesOf(body);
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Ends the input of a decoder that nobody listens to, whose thread would wait for it forever. */
  stop(): void {
    this.#close();
    // Not awaited: it would wait for a silent sender.
    this.#pieces.return(undefined).catch(() => {});
  }

  async #pull(): Promise<void> {
    try {
      const { done, value } = await this.#pieces.next();
      if (done === true) {
        this.hasEnded = true;
        this.#close();
        return;
      }
      this.bytes += value.length;
      // A copy: the decoder's thread reads it later, when its owner may have filled it anew.
      this.#controller?.enqueue(Uint8Array.from(value));
    } catch (error) {
      this.failure = { error };
      this.#controller = undefined;
      throw error;
    }
  }

  #close(): void {
    this.#controller?.close();
    this.#controller = undefined;
  }
}

/** Without the empty ones. */
async function* piecesOf(body: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    if (piece.length > 0) yield piece;
  }
}
