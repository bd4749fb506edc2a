/** Agents, their workers and the limits, while leases come and go. */

import { fetchAgents, fetchLimits, fetchTeams, type Agent, type Limit, type Team } from '../api/controller';
import { Following } from './following.svelte';

export class AgentsModel extends Following {
  agents = $state.raw<Agent[]>([]);
  limits = $state.raw<Limit[]>([]);
  teams = $state.raw<Team[]>([]);

  /** Polls and progress have no transitions. */
  protected override idleMs(): number {
    return 2_000;
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    [this.agents, this.limits, this.teams] = await Promise.all([fetchAgents(signal), fetchLimits(signal), fetchTeams(signal)]);
  }
}
