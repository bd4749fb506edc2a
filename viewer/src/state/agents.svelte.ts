/** Agents, their workers and the limits, while leases come and go. */

import { ApiError } from '../api/client';
import { fetchAgents, fetchLimits, fetchTeams, type Agent, type Limit, type Team } from '../api/controller';
import { live } from './live.svelte';
import { Refresher } from './refresher';

/** Polls and progress have no transitions. */
const IDLE_MS = 2_000;

export class AgentsModel {
  agents = $state.raw<Agent[]>([]);
  limits = $state.raw<Limit[]>([]);
  teams = $state.raw<Team[]>([]);
  failure = $state.raw<ApiError | null>(null);
  loading = $state(true);

  private readonly refresher = new Refresher(() => this.refresh(), () => IDLE_MS);
  private readonly aborter = new AbortController();
  private stop: (() => void) | null = null;

  async open(): Promise<void> {
    const ask = () => this.refresher.ask();
    this.stop = live.stream.follow({ tasks: true }, { hello: live.greet, tasks: ask, gap: ask });
    await live.stream.opened(400);
    await this.refresher.now();
  }

  close(): void {
    this.stop?.();
    this.refresher.close();
    this.aborter.abort();
  }

  load(): void {
    this.refresher.ask();
  }

  private async refresh(): Promise<void> {
    const { signal } = this.aborter;
    try {
      [this.agents, this.limits, this.teams] = await Promise.all([fetchAgents(signal), fetchLimits(signal), fetchTeams(signal)]);
      this.failure = null;
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
  }
}
