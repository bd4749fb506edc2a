/**
 * A drawing of tasks that depend on each other: layers from left to right, what must end first on the left.
 *
 * The layer of a task is the longest way to it, so every edge goes right. Within a layer tasks stand near the middle of
 * those they are joined to, which a few sweeps in turn find well enough for what fits on a page.
 */

export interface GraphNode {
  readonly id: string;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
}

export interface Placed {
  readonly id: string;
  readonly layer: number;
  /** Within the layer, from the top. */
  readonly row: number;
  readonly x: number;
  readonly y: number;
}

export interface GraphLayout {
  readonly nodes: readonly Placed[];
  readonly edges: readonly GraphEdge[];
  readonly width: number;
  readonly height: number;
}

export interface GraphSizes {
  readonly width: number;
  readonly height: number;
  readonly gapX: number;
  readonly gapY: number;
}

const SWEEPS = 4;

export function layoutGraph(nodes: readonly GraphNode[], edges: readonly GraphEdge[], sizes: GraphSizes): GraphLayout {
  const ids = new Set(nodes.map((node) => node.id));
  const known = edges.filter((edge) => ids.has(edge.from) && ids.has(edge.to) && edge.from !== edge.to);
  const layerOf = layersOf([...ids], known);
  const layers = orderLayers(groupLayers(layerOf), known);
  const most = Math.max(1, ...layers.map((layer) => layer.length));
  const height = most * (sizes.height + sizes.gapY) - sizes.gapY;
  const placed = layers.flatMap((layer, index) => placeLayer(layer, index, height, sizes));
  return {
    nodes: placed,
    edges: known.filter((edge) => (layerOf.get(edge.from) ?? 0) < (layerOf.get(edge.to) ?? 0)),
    width: Math.max(1, layers.length) * (sizes.width + sizes.gapX) - sizes.gapX,
    height,
  };
}

/** The longest way to each node. A cycle, which the collector refuses, would only stop the walk. */
export function layersOf(ids: readonly string[], edges: readonly GraphEdge[]): Map<string, number> {
  const waits = new Map(ids.map((id) => [id, 0]));
  for (const edge of edges) waits.set(edge.to, (waits.get(edge.to) ?? 0) + 1);
  const layers = new Map(ids.map((id) => [id, 0]));
  const ready = ids.filter((id) => waits.get(id) === 0);
  for (let i = 0; i < ready.length; i++) {
    for (const edge of edges) {
      if (edge.from !== ready[i]) continue;
      layers.set(edge.to, Math.max(layers.get(edge.to) ?? 0, (layers.get(ready[i]) ?? 0) + 1));
      const left = (waits.get(edge.to) ?? 1) - 1;
      waits.set(edge.to, left);
      if (left === 0) ready.push(edge.to);
    }
  }
  return layers;
}

function groupLayers(layerOf: ReadonlyMap<string, number>): string[][] {
  const layers: string[][] = [];
  for (const [id, layer] of layerOf) (layers[layer] ??= []).push(id);
  return layers.map((layer) => layer ?? []);
}

function orderLayers(layers: string[][], edges: readonly GraphEdge[]): string[][] {
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const rows = new Map(layers.flatMap((layer) => layer.map((id, row) => [id, row - layer.length / 2] as const)));
    const forward = sweep % 2 === 0;
    layers = layers.map((layer) => sortByMiddle(layer, (id) => middleOf(id, edges, rows, forward) ?? rows.get(id) ?? 0));
  }
  return layers;
}

function sortByMiddle(layer: readonly string[], middle: (id: string) => number): string[] {
  return layer.map((id, row) => ({ id, row, key: middle(id) })).sort((a, b) => a.key - b.key || a.row - b.row).map(({ id }) => id);
}

function middleOf(id: string, edges: readonly GraphEdge[], rows: ReadonlyMap<string, number>, forward: boolean): number | null {
  const joined = edges.filter((edge) => (forward ? edge.to : edge.from) === id).map((edge) => rows.get(forward ? edge.from : edge.to) ?? 0);
  return joined.length === 0 ? null : joined.reduce((sum, row) => sum + row, 0) / joined.length;
}

function placeLayer(layer: readonly string[], index: number, height: number, sizes: GraphSizes): Placed[] {
  const step = sizes.height + sizes.gapY;
  const top = (height - (layer.length * step - sizes.gapY)) / 2;
  return layer.map((id, row) => ({ id, layer: index, row, x: index * (sizes.width + sizes.gapX), y: top + row * step }));
}

/** An edge as a curve from the right side of one node to the left side of the other. */
export function edgePath(from: Placed, to: Placed, sizes: GraphSizes): string {
  const [x1, y1] = [from.x + sizes.width, from.y + sizes.height / 2];
  const [x2, y2] = [to.x, to.y + sizes.height / 2];
  const bend = Math.max(sizes.gapX / 2, (x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
