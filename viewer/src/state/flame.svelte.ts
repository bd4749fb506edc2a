/** Many runs folded into one picture, and what is around one name in it. */

import { fetchFlame, fetchFlameAround } from '../api/analysis';
import { ApiError } from '../api/client';
import { layoutFlame, matchNodes, nodeOfPath, subtree, type Flame, type FlameAround, type FlameQuestion } from '../core/flame';
import { diffEntries, mergeFlames } from '../core/flamediff';
import type { FlameView } from '../core/flameview';
import { live } from './live.svelte';

export class FlameModel {
  flame = $state.raw<Flame | null>(null);
  /** What the picture is compared with; null when it is with nothing. */
  before = $state.raw<Flame | null>(null);
  failure = $state.raw<ApiError | null>(null);
  /** That of what it is compared with. */
  baseFailure = $state.raw<ApiError | null>(null);
  loading = $state(true);
  around = $state.raw<FlameAround | null>(null);
  aroundFailure = $state.raw<ApiError | null>(null);
  /** Runs that ended since the picture was made. */
  arrived = $state(0);

  private view = $state.raw<FlameView | null>(null);
  private question: FlameQuestion | null = null;
  private base: FlameQuestion | null = null;
  private asked = '';
  private askedAround = '';
  private aborter = new AbortController();
  private aroundAborter = new AbortController();
  private seen = new Set<string>();
  private stop: (() => void) | null = null;

  private readonly nodes = $derived(this.flame ? (this.before ? mergeFlames(this.before, this.flame) : this.flame.nodes) : []);
  private readonly whole = $derived(layoutFlame(this.nodes));
  readonly differences = $derived(this.flame && this.before ? diffEntries(this.before, this.flame) : []);
  /** The node that is the whole picture; -1: all runs. */
  private readonly root = $derived(nodeOfPath(this.whole, this.view?.focus ?? []));
  readonly layout = $derived(this.root < 0 ? this.whole : layoutFlame(subtree(this.whole.nodes, this.root)));
  readonly selected = $derived(this.view && this.view.node.length > 0 ? nodeOfPath(this.layout, this.view.node) : -1);
  readonly matches = $derived(matchNodes(this.layout, this.view?.find ?? ''));

  open(): void {
    this.stop = live.stream.follow(
      { runs: true },
      {
        hello: live.greet,
        runs: (runs) => {
          for (const run of runs) if (run.status !== 'running') this.seen.add(run.run_id);
          this.arrived = this.seen.size;
        },
        gap: () => undefined, // what was missed is in the next picture that is asked for
      },
    );
  }

  close(): void {
    this.stop?.();
    this.aborter.abort();
    this.aroundAborter.abort();
  }

  /** Shows what an address says; asks only for what is not here yet. */
  show(view: FlameView): void {
    this.view = view;
    const { q, from, to, metric, by, runs, base } = view;
    this.question = { q, from, to, metric, by, runs };
    this.base = base && { ...base, metric, by, runs };
    const asked = JSON.stringify([this.question, this.base]);
    if (asked !== this.asked) {
      this.asked = asked;
      this.askedAround = '';
      void this.load();
    }
    const around = view.key === null ? '' : `${asked} ${view.key}`;
    if (around === this.askedAround) return;
    this.askedAround = around;
    void this.loadAround(view.key);
  }

  /** Asks for the picture; the one on screen stays until it is here. */
  async load(): Promise<void> {
    if (!this.question) return;
    this.aborter.abort();
    const { signal } = (this.aborter = new AbortController());
    this.loading = true;
    this.seen.clear();
    this.arrived = 0;
    try {
      const [flame, before] = await Promise.all([fetchFlame(this.question, signal), this.loadBase(signal)]);
      [this.flame, this.before] = [flame, before];
      this.failure = null;
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
  }

  /** A mistake in what it is compared with leaves the picture of what there is. */
  private async loadBase(signal: AbortSignal): Promise<Flame | null> {
    this.baseFailure = null;
    if (!this.base) return null;
    try {
      return await fetchFlame(this.base, signal);
    } catch (cause) {
      if (!signal.aborted) this.baseFailure = ApiError.of(cause);
      return null;
    }
  }

  async loadAround(key: string | null): Promise<void> {
    this.aroundAborter.abort();
    const { signal } = (this.aroundAborter = new AbortController());
    this.aroundFailure = null;
    if (key === null || !this.question) return void (this.around = null);
    try {
      this.around = await fetchFlameAround(this.question, key, signal);
    } catch (cause) {
      if (signal.aborted) return;
      this.around = null;
      this.aroundFailure = ApiError.of(cause);
    }
  }
}
