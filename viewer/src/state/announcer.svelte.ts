/** What screen readers are told: changes at most every five seconds, answers to what they asked for at once. */

const QUIET_MS = 5000;

class Announcer {
  text = $state('');
  private last = 0;

  say(text: string): void {
    const now = Date.now();
    if (now - this.last < QUIET_MS || text === this.text) return;
    this.last = now;
    this.text = text;
  }

  /** Tells what became of something that the reader has just asked for; that does not wait. */
  confirm(text: string): void {
    this.last = Date.now();
    this.text = text;
  }
}

export const announcer = new Announcer();
