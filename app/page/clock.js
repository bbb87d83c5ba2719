// Seconds that are seen to pass.

import { say } from "./words.js";

/** Tells `show` every second how many have passed, and at once. */
export class Clock {
  constructor(show) {
    this.begun = performance.now();
    this.timer = setInterval(() => show(this.seconds()), 1000);
    show(0);
  }

  seconds() {
    return (performance.now() - this.begun) / 1000;
  }

  /** How many seconds it ran. */
  stop() {
    clearInterval(this.timer);
    return this.seconds();
  }
}

/** "0.8 s", "12 s", "3 min 5 s". */
export function saySeconds(seconds) {
  if (seconds > 0 && seconds < 10) return say("seconds", seconds.toFixed(1));
  const whole = Math.round(seconds);
  return whole < 60 ? say("seconds", whole) : say("minutes", Math.floor(whole / 60), whole % 60);
}
