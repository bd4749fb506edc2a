/**
 * A part of the page as an image: its canvases, and its text, marks and lines painted again beside them. The page's
 * security policy allows no images made of markup, and this needs none.
 */

/** The largest side; browsers refuse larger canvases. */
const MOST_PX = 16_000;

export async function pictureOf(root: HTMLElement): Promise<Blob | null> {
  const frame = root.getBoundingClientRect();
  const scale = Math.min(Math.max(devicePixelRatio, 2), MOST_PX / Math.max(frame.width, frame.height, 1));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(frame.width * scale);
  canvas.height = Math.round(frame.height * scale);
  const context = canvas.getContext('2d');
  if (!context) return null;
  context.setTransform(scale, 0, 0, scale, -frame.left * scale, -frame.top * scale);
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(frame.left, frame.top, frame.width, frame.height);
  paintElement(context, root, frame);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

function paintElement(context: CanvasRenderingContext2D, element: Element, clip: DOMRect): void {
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  if (style.visibility === 'hidden' || Number(style.opacity) === 0 || !meet(box, clip)) return;
  context.save();
  context.globalAlpha *= Number(style.opacity);
  paintBox(context, style, box);
  if (element instanceof HTMLCanvasElement) context.drawImage(element, box.left, box.top, box.width, box.height);
  else if (element instanceof SVGSVGElement) paintMark(context, element, box, style.color);
  else paintChildren(context, element, style, box, clip);
  context.restore();
}

function paintChildren(context: CanvasRenderingContext2D, element: Element, style: CSSStyleDeclaration, box: DOMRect, clip: DOMRect): void {
  const cuts = style.overflowX !== 'visible' || style.overflowY !== 'visible';
  if (cuts) {
    context.beginPath();
    context.rect(box.left, box.top, box.width, box.height);
    context.clip();
  }
  for (const child of element.childNodes) {
    if (child instanceof Text) paintText(context, child, style);
    else if (child instanceof Element) paintElement(context, child, cuts ? box : clip);
  }
  const entered = element instanceof HTMLInputElement ? element.value || element.placeholder : '';
  const chosen = element instanceof HTMLSelectElement ? (element.selectedOptions[0]?.text ?? '') : '';
  if (entered || chosen) {
    setText(context, style);
    context.fillText(entered || chosen, box.left + parseFloat(style.paddingLeft), box.top + box.height / 2);
  }
}

function paintBox(context: CanvasRenderingContext2D, style: CSSStyleDeclaration, box: DOMRect): void {
  context.fillStyle = style.backgroundColor;
  if (style.backgroundColor !== 'rgba(0, 0, 0, 0)') context.fillRect(box.left, box.top, box.width, box.height);
  const sides = [
    [style.borderTopWidth, style.borderTopColor, 0, 0, box.width, 0],
    [style.borderBottomWidth, style.borderBottomColor, 0, box.height, box.width, 0],
    [style.borderLeftWidth, style.borderLeftColor, 0, 0, 0, box.height],
    [style.borderRightWidth, style.borderRightColor, box.width, 0, 0, box.height],
  ] as const;
  for (const [size, colour, x, y, width, height] of sides) {
    const px = parseFloat(size);
    if (px === 0) continue;
    context.fillStyle = colour;
    context.fillRect(box.left + x - (x > 0 ? px : 0), box.top + y - (y > 0 ? px : 0), width || px, height || px);
  }
}

function setText(context: CanvasRenderingContext2D, style: CSSStyleDeclaration): void {
  context.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.fillStyle = style.color;
  context.textBaseline = 'middle';
}

/** Line by line, as the browser broke it. */
function paintText(context: CanvasRenderingContext2D, node: Text, style: CSSStyleDeclaration): void {
  if (!node.data.trim()) return;
  setText(context, style);
  for (const { text, box } of linesOf(node)) context.fillText(text, box.left, box.top + box.height / 2 + 0.5);
}

function linesOf(node: Text): { text: string; box: DOMRect }[] {
  const range = document.createRange();
  range.selectNodeContents(node);
  const boxes = range.getClientRects();
  if (boxes.length <= 1) return boxes.length === 0 ? [] : [{ text: node.data.replace(/\s+/g, ' ').trimStart(), box: boxes[0] }];
  const lines: { text: string; box: DOMRect }[] = [];
  for (let i = 0; i < node.data.length; i++) {
    range.setStart(node, i);
    range.setEnd(node, i + 1);
    const box = range.getBoundingClientRect();
    const last = lines.at(-1);
    if (last && Math.abs(last.box.top - box.top) < 2) last.text += node.data[i];
    else if (box.width > 0) lines.push({ text: node.data[i], box });
  }
  return lines;
}

function paintMark(context: CanvasRenderingContext2D, mark: SVGSVGElement, box: DOMRect, colour: string): void {
  const { width } = mark.viewBox.baseVal;
  if (!width) return;
  context.save();
  context.translate(box.left, box.top);
  context.scale(box.width / width, box.height / mark.viewBox.baseVal.height);
  for (const path of mark.querySelectorAll('path')) {
    const style = getComputedStyle(path);
    const shape = new Path2D(path.getAttribute('d') ?? '');
    context.fillStyle = style.fill === 'none' ? 'transparent' : style.fill || colour;
    if (style.fill !== 'none') context.fill(shape, style.fillRule as CanvasFillRule);
    if (style.stroke === 'none') continue;
    context.strokeStyle = style.stroke;
    context.lineWidth = parseFloat(style.strokeWidth);
    context.stroke(shape);
  }
  context.restore();
}

function meet(a: DOMRect, b: DOMRect): boolean {
  // Elements without a box of their own may still have children that show.
  return a.width === 0 || a.height === 0 || (a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top);
}
