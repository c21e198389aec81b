import { Prng } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { type Listed, LruList } from '../src/lru-list.js';

class Item implements Listed<Item> {
  before: Item | undefined = undefined;
  behind: Item | undefined = undefined;
  isListed = false;
}

it('keeps the order of a set in which what is used moves to the end', () => {
  const items = Array.from({ length: 12 }, () => new Item());
  const list = new LruList<Item>();
  const model = new Set<Item>();
  const prng = new Prng(1, 2, 3, 4);
  for (let i = 0; i < 500; i++) {
    const item = items[prng.below(12)]!;
    model.delete(item);
    if (prng.below(3) === 0) list.delete(item);
    else {
      list.use(item);
      model.add(item);
    }
    const order = [...list].map((listed) => items.indexOf(listed));
    expect(order).toEqual([...model].map((listed) => items.indexOf(listed)));
    expect(list.size).toBe(model.size);
    expect(list.first).toBe([...model][0]);
  }
});
