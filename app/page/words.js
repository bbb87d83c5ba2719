// What the page says, English or Chinese: in the language that was chosen here, else in that of the browser.

const WORDS = {
  // the frame
  try: ["Try it", "试一试"],
  draw: ["Draw", "绘图"],
  film: ["Film", "生成视频"],
  connect: ["Connect", "接入"],
  accounts: ["Accounts", "账号"],
  watch: ["Watch", "监控"],
  skip: ["To the content", "跳到内容"],
  views: ["Views", "视图"],
  otherLanguage: ["中文", "English"],
  otherLanguageCode: ["zh-CN", "en"],
  scheme: ["Light or dark", "浅色或深色"],
  tagline: ["Your own chatglm.cn accounts, as an OpenAI API", "把你自己的智谱清言账号变成 OpenAI 接口"],
  // credentials
  credentials: ["Refresh token or gateway key", "refresh token 或网关密钥"],
  doorTitle: ["Begin with your own account", "用你自己的账号开始"],
  credentialsHint: [
    "It stays in this tab and is gone when you close it. Several tokens are joined with commas.",
    "它只留在本标签页，关闭即消失。多个 token 用逗号拼接。",
  ],
  demoTitle: ["Look around without an account", "没有账号，先看看"],
  demoHint: [
    "This is a demonstration: a stand-in on this machine answers in place of chatglm.cn, and what it says is made up. Real tokens do not open it; this key does, in your own client too:",
    "这是演示：本机的替身代替 chatglm.cn 回答，内容是编的。真实的 token 在这里无效；下面的密钥可以，也可填进你自己的客户端：",
  ],
  demoUse: ["Look around with {0}", "用 {0} 进去看看"],
  credentialsOdd: ["There are characters in it that no token has. Copy it once more.", "其中有 token 不会有的字符，请重新复制。"],
  use: ["Use it", "使用"],
  forget: ["Forget key", "清除密钥"],
  signedIn: ["The key is in this tab only; this takes it out.", "密钥只在本标签页，点此清除。"],
  howToToken: ["Where is my token?", "token 在哪里？"],
  tokenLogIn: ["Log in and have one conversation, on a computer:", "在电脑上登录，随便聊一句："],
  tokenOpen: ["Press F12 there and open Application > Cookies.", "在那个页面按 F12，打开 Application > Cookies。"],
  tokenCopy: ["Copy the value of chatglm_refresh_token. Treat it as a password.", "复制 chatglm_refresh_token 的值。请当密码保管。"],
  reference: ["API", "接口文档"],
  referenceHint: ["All requests, to read and to try", "全部接口，可查阅可试用"],
  otherToken: ["Use another token", "换一个 token"],
  tryAgain: ["Try again", "再试一次"],
  gatewaySays: ["In the gateway's words", "网关原话"],
  waitFor: ["Wait {0} s.", "请等 {0} 秒。"],
  // chat
  model: ["Model", "模型"],
  modelHint: ["A model's name, or an assistant's 24-digit id", "模型名称，或智能体的 24 位 ID"],
  otherModel: ["Another, or an assistant…", "其他模型或智能体……"],
  model_glm: ["GLM (default)", "GLM（默认）"],
  "model_glm-deepresearch": ["Deep research (takes minutes)", "深度研究（需要几分钟）"],
  "model_cogview-3": ["Drawing", "绘图"],
  think: ["Think", "思考"],
  thinkHint: ["Think before answering", "先思考再回答"],
  search: ["Search", "联网"],
  searchHint: ["Search the web", "联网搜索"],
  message: ["Message", "消息"],
  messagePlaceholder: ["Ask something…", "问点什么……"],
  send: ["Send", "发送"],
  stop: ["Stop", "停止"],
  attach: ["Attach", "添加附件"],
  remove: ["Remove {0}", "移除 {0}"],
  newChat: ["New chat", "新对话"],
  you: ["You", "你"],
  answer: ["Answer", "回答"],
  thinkingFor: ["Thinking… {0}", "思考中…… {0}"],
  thoughtFor: ["Thought for {0}", "已思考 {0}"],
  waitingFor: ["{0}… {1}", "{0}…… {1}"],
  wait_start: ["Waiting for the first words", "等待回复"],
  wait_queue: ["Your account is answering another question; this one is number {0} in the queue", "你的账号正在回答另一个问题，排队第 {0} 位"],
  wait_fetch: ["Fetching file {0} of {1}", "正在获取文件 {0}/{1}"],
  wait_upload: ["Uploading file {0} of {1}", "正在上传文件 {0}/{1}"],
  wait_ask: ["Asked; waiting for the first words", "已提问，等待回复"],
  wait_search: ["Searching the web", "正在联网搜索"],
  wait_research: ["Researching", "正在深入研究"],
  wait_draw: ["Drawing", "正在绘制"],
  servedBy: ["answered by {0}", "由 {0} 回答"],
  firstWord: ["first words after {0}", "首字 {0}"],
  inAll: ["{0} in all", "共 {0}"],
  tokens: ["about {0} tokens", "约 {0} token"],
  seconds: ["{0} s", "{0} 秒"],
  minutes: ["{0} min {1} s", "{0} 分 {1} 秒"],
  again: ["Ask again", "重新回答"],
  againHint: ["The same question once more, in the place of this answer", "再问一次，替换这条回答"],
  copyAnswer: ["Copy answer", "复制回答"],
  stopped: ["Stopped. The account is free again.", "已停止，账号已释放。"],
  reloaded: ["The page was loaded anew meanwhile; the answer ended here.", "页面重新加载，回答到此为止。"],
  toEnd: ["To the end", "到末尾"],
  filtered: ["Ended by the content filter.", "被内容过滤器终止。"],
  cutByLength: ["Ended at the length that was asked for.", "已到要求的长度。"],
  sources: ["Sources", "来源"],
  copyAs: ["Copy as", "复制为"],
  copyInterface: ["By which interface", "按哪个接口"],
  copy: ["Copy", "复制"],
  copied: ["Copied", "已复制"],
  emptyChat: ["Say hello. The words appear as they come, and Stop frees the account at once. Shift+Enter begins a new line.", "打个招呼吧。文字会逐字出现，按停止立即释放账号。Shift+Enter 换行。"],
  pictureFrom: ["Picture from {0}", "来自 {0} 的图片"],
  showPicture: ["Show", "显示"],
  pictureConsent: ["Loaded by the gateway, and only if you ask: the other side does not see you.", "只在你点击后由网关加载，对方看不到你。"],
  noPicture: ["This picture cannot be shown.", "这张图片无法显示。"],
  tooLarge: ["{0} is too large for this page (20 MB).", "{0} 太大（上限 20 MB）。"],
  unreadable: ["{0} cannot be read any more.", "{0} 已无法读取。"],
  taskDone: ["done", "已完成"],
  taskOpen: ["to do", "待办"],
  answered: ["Answer complete", "回答完毕"],
  // drawing
  prompt: ["What it shall show", "画面描述"],
  promptPlaceholder: ["A lighthouse at dusk, watercolour", "黄昏的灯塔，水彩画"],
  size: ["Shape", "形状"],
  square: ["square", "方形"],
  portrait: ["portrait", "竖向"],
  landscape: ["landscape", "横向"],
  kind: ["What shall be made", "生成什么"],
  picture: ["Picture", "图片"],
  video: ["Video", "视频"],
  working: ["At work", "进行中"],
  made: ["Done.", "完成。"],
  drawing: ["Drawing… {0}", "正在绘制…… {0}"],
  filming: ["Filming, which takes some minutes… {0}", "正在生成视频，需要几分钟…… {0}"],
  openVideo: ["Open the video ({0})", "打开视频（{0}）"],
  download: ["Download", "下载"],
  emptyDraw: ["Pictures and videos appear here.", "图片和视频会出现在这里。"],
  open: ["Open original", "打开原图"],
  // connecting a client
  connectHint: ["Connect your client:", "接入你的客户端："],
  connectMore: [
    "Models: glm, glm-think, glm-search, glm-think-search, glm-deepresearch, or the 24 digits of an assistant. What else to set, and what is odd about each client, stands in docs/clients of the gateway's own files.",
    "模型：glm、glm-think、glm-search、glm-think-search、glm-deepresearch，或智能体的 24 位 ID。其他设置和各客户端的注意事项见网关自带的 docs/clients。",
  ],
  anyClient: ["any other", "其他客户端"],
  baseAddress: ["Base address", "接口地址"],
  key: ["API key", "API 密钥"],
  keyHidden: ["the one in this tab", "本标签页里的密钥"],
  copyWhat: ["Copy: {0}", "复制：{0}"],
  // accounts
  refresh: ["Refresh", "刷新"],
  check: ["Check", "检查"],
  checking: ["Checking…", "检查中……"],
  checked: ["Checked.", "检查完毕。"],
  live: ["The token is alive.", "token 有效。"],
  dead: ["The token is not alive. Get a new one.", "token 已失效，请重新获取。"],
  someDead: ["Not alive: {0}. The others are used.", "已失效：{0}，将使用其余的。"],
  cannotCheck: ["With a gateway key the operator's tokens cannot be checked from here.", "使用网关密钥时无法在此检查管理员的 token。"],
  coolingUntil: ["Cooling until", "冷却至"],
  replies: ["Replies", "回复数"],
  points: ["Points left", "剩余积分"],
  standing: ["The web chat says", "网页端显示"],
  lastError: ["Last error", "最近错误"],
  none: ["none", "无"],
  conversations: ["Kept conversations", "保留的对话"],
  noConversations: ["None. Conversations are deleted from the account by themselves.", "没有。对话会自动从账号中删除。"],
  keptUntil: ["last used {0}, deleted at {1}", "最近使用 {0}，{1} 删除"],
  delete: ["Delete", "删除"],
  deleted: ["Deleted.", "已删除。"],
  state_ready: ["ready", "就绪"],
  state_answering: ["answering", "回答中"],
  state_cooling: ["cooling", "冷却中"],
  state_expired: ["expired", "已失效"],
  state_blocked: ["blocked", "被风控"],
  state_unknown: ["not used yet", "尚未使用"],
  // watch
  noRequests: ["Nothing yet. What you ask, here or in your own client, appears within a second.", "还没有请求。你在这里或自己的客户端发起的请求，一秒内就会出现。"],
  watchHint: ["Your own requests as they happen. Kept in memory only.", "你自己的请求，实时更新，仅存于内存。"],
  span: ["Show", "显示"],
  span5: ["5 minutes", "5 分钟"],
  span15: ["15 minutes", "15 分钟"],
  span60: ["60 minutes", "60 分钟"],
  pointAt: ["{0}: {1}", "{0}：{1}"],
  comma: [", ", "、"],
  requests: ["Requests", "请求"],
  firstDelta: ["First words", "首字时间"],
  frameRate: ["Frames per second", "每秒帧数"],
  openStreams: ["Open streams", "进行中的流"],
  queue: ["Queue", "排队"],
  errors: ["Errors", "错误"],
  now: ["now {0}", "当前 {0}"],
  inSpan: ["{0} in {1} minutes", "{1} 分钟内 {0} 次"],
  average: ["on average {0}", "平均 {0}"],
  most: ["at most {0}", "最多 {0}"],
  connected: ["Live", "实时"],
  reconnecting: ["Reconnecting…", "正在重连……"],
  minutesAgo: ["{0} min ago", "{0} 分钟前"],
  rightNow: ["now", "现在"],
  plot: ["{0}: {1}", "{0}：{1}"],
};

const STORED = "glm-api language";

export const language = readLanguage();

function readLanguage() {
  try {
    const chosen = localStorage.getItem(STORED);
    if (chosen) return chosen;
  } catch {
    // A browser that keeps nothing has a language nevertheless.
  }
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** Speak the other language from now on; the page is loaded anew, and the conversation survives that. */
export function switchLanguage() {
  localStorage.setItem(STORED, language === "zh" ? "en" : "zh");
  location.reload();
}

/** Which of a pair [English, Chinese] is spoken. */
export const column = language === "zh" ? 1 : 0;

/** The words for `key`, with {0}, {1} filled in; the key itself where nobody wrote any. */
export function say(key, ...values) {
  const words = WORDS[key]?.[column] ?? key;
  return words.replace(/\{(\d)\}/g, (_, index) => values[index]);
}

/** Fill in what index.html leaves to the language: data-say (text) and data-say-<attribute>. */
export function translate(root) {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of root.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const [data, attribute] of [["sayLabel", "aria-label"], ["sayPlaceholder", "placeholder"], ["sayTitle", "title"], ["sayLang", "lang"]])
    for (const node of root.querySelectorAll("*"))
      if (node.dataset[data]) node.setAttribute(attribute, say(node.dataset[data]));
}

/** A time of day, or a date and time when it is not today. `seconds` is Unix time. */
export function sayTime(seconds) {
  const date = new Date(seconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(language === "zh" ? "zh-CN" : "en", today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" });
}
