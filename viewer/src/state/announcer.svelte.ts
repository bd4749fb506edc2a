/** What screen readers are told about changes, at most every five seconds. */

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
}

export const announcer = new Announcer();
