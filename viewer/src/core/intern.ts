/** Gives each distinct string a small number. Number 0 is "none". */
export class Interner {
  readonly texts: string[] = [''];
  private readonly numbers = new Map<string, number>();

  number(text: string | null | undefined): number {
    if (text == null) return 0;
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    this.texts.push(text);
    this.numbers.set(text, this.texts.length - 1);
    return this.texts.length - 1;
  }

  text(number: number): string | null {
    return number === 0 ? null : this.texts[number];
  }
}
