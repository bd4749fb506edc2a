/** Asks again for what is on screen when it has changed: soon, but neither at once for each change nor twice at a time. */

const LEAST_GAP_MS = 200;
/** Where an answer takes long, at most a quarter of the time is spent waiting for one. */
const GAP_TO_DURATION = 3;

export class Refresher {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private busy = false;
  private wanted = false;
  private closed = false;
  private lastEnd = -Infinity;
  private lastDuration = 0;

  /**
   * idleMs: asks also after so long without a change, for figures that change without one; Infinity: never. leastGapMs:
   * between an answer and the next question.
   */
  constructor(
    private readonly load: () => Promise<void>,
    private readonly idleMs: () => number = () => Infinity,
    private readonly leastGapMs = LEAST_GAP_MS,
  ) {}

  /** Something has changed. */
  ask(): void {
    if (this.closed) return;
    if (this.busy) this.wanted = true;
    else if (!this.wanted) {
      this.wanted = true;
      const gap = Math.max(this.leastGapMs, this.lastDuration * GAP_TO_DURATION);
      this.schedule(Math.max(0, this.lastEnd + gap - Date.now()));
    }
  }

  /** Asks now; resolves with the answer's arrival. */
  async now(): Promise<void> {
    if (this.busy || this.closed) return this.ask();
    clearTimeout(this.timer);
    this.wanted = false;
    this.busy = true;
    const start = Date.now();
    try {
      await this.load();
    } finally {
      this.busy = false;
      this.lastEnd = Date.now();
      this.lastDuration = this.lastEnd - start;
      this.after();
    }
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private after(): void {
    if (this.closed) return;
    if (this.wanted) {
      this.wanted = false;
      this.ask();
      return;
    }
    const idleMs = this.idleMs();
    if (Number.isFinite(idleMs)) this.schedule(idleMs);
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // A hidden page keeps its old picture; whoever shows it again has missed nothing that the next refresh brings.
      if (typeof document !== 'undefined' && document.visibilityState === 'hidden') this.schedule(LEAST_GAP_MS * 5);
      else void this.now();
    }, ms);
  }
}
