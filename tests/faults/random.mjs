// Chance from a seed (mulberry32): the same seed gives the same schedule.
export class Chance {
  constructor(seed) {
    this.state = seed >>> 0;
  }
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  between(low, high) {
    return low + this.next() * (high - low);
  }
  whole(low, high) {
    return Math.floor(this.between(low, high + 1));
  }
  /** As many short ones as long ones by order of magnitude. */
  spread(low, high) {
    return low * (high / low) ** this.next();
  }
  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }
  shuffled(list) {
    const result = [...list];
    for (let i = result.length - 1; i > 0; --i) {
      const j = this.whole(0, i);
      [result[i], result[j]] = [result[j], result[i]];
    }
    return result;
  }
}
