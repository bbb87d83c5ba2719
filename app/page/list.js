// What is known of a Markdown list when it is whole: whether it is tight, and which of its items have a box.

const BOX = /^\[([ xX])\][ \t\n]+(?=\S)/;

/** Give the lists below `blocks` what can be said at their end only. */
export function settle(blocks) {
  for (const block of blocks) {
    if (block.type === "list") settleList(block);
    else if (block.type === "quote") {
      settle(block.blocks);
      block.to = Math.max(block.to, block.blocks.at(-1)?.to ?? 0);
    }
  }
}

function settleList(list) {
  list.isTight = true;
  let before = null;
  for (const item of list.items) {
    settle(item.blocks);
    item.to = item.blocks.at(-1)?.to ?? item.from;
    if (hasGap(before, item) || item.blocks.some((block, index) => hasGap(item.blocks[index - 1], block))) list.isTight = false;
    before = item;
    takeBox(item);
  }
  list.to = before.to;
}

/** Whether a blank line is between two blocks. */
const hasGap = (before, after) => Boolean(before) && before.to < after.from - 1;

function takeBox(item) {
  const [first] = item.blocks;
  const box = first?.type === "paragraph" && BOX.exec(first.text);
  if (!box) return;
  item.isDone = box[1] !== " ";
  first.text = first.text.slice(box[0].length);
}
