/** Scores and feedback on runs, their spans and managed tasks. Loaded with the pages that show them. */

import { getJson, request } from './client';

export interface Score {
  id: string;
  time: string;
  run_id: string | null;
  span_id: string | null;
  name: string;
  value: number | null;
  label: string | null;
  explanation: string | null;
  source: string;
  by: string | null;
}

export interface Feedback {
  id: string;
  time: string;
  run_id: string | null;
  span_id: string | null;
  rating: number | null;
  text: string | null;
  issues: string[];
  by: string | null;
}

const MOST = '200';

export async function fetchScores(runId: string, signal?: AbortSignal): Promise<Score[]> {
  const params = new URLSearchParams({ run_id: runId, limit: MOST });
  return (await getJson<{ scores: Score[] }>(`api/scores?${params}`, signal)).scores;
}

export async function fetchFeedback(runId: string, signal?: AbortSignal): Promise<Feedback[]> {
  const params = new URLSearchParams({ run_id: runId, limit: MOST });
  return (await getJson<{ feedback: Feedback[] }>(`api/feedback?${params}`, signal)).feedback;
}

export async function giveFeedback(runId: string, said: { rating: number | null; text: string }): Promise<void> {
  const body = { run_id: runId, text: said.text, ...(said.rating === null ? {} : { rating: said.rating }) };
  await request('api/feedback', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}
