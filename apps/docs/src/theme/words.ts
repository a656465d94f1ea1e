/** What our parts of a page say, in the language of the page. */

export interface Words {
  readonly run: string;
  readonly stop: string;
  readonly edit: string;
  readonly original: string;
  readonly code: string;
  readonly output: string;
  readonly nothing: string;
  running(seconds: number): string;
  readonly stopped: string;
  took(seconds: number): string;
  line(number: number): string;
  readonly trainer: {
    readonly label: string;
    readonly picture: string;
    readonly start: string;
    readonly pause: string;
    readonly again: string;
    readonly step: string;
    readonly loss: string;
    readonly correct: string;
    readonly problems: Readonly<Record<Problem, string>>;
    readonly note: string;
    readonly failed: string;
  };
}

export type Problem = 'spirals' | 'moons' | 'circles' | 'xor';

const english: Words = {
  run: 'Run',
  stop: 'Stop',
  edit: 'Edit',
  original: 'Original',
  code: 'Code of the example',
  output: 'Output',
  nothing: 'Nothing was printed.',
  running: (seconds) => (seconds < 1 ? 'running …' : `running … ${Math.floor(seconds)} s`),
  stopped: 'stopped',
  took: (seconds) => `done in ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`,
  line: (number) => `line ${number}: `,
  trainer: {
    label: 'A network that trains in this page',
    picture: 'What the network answers at each place, and the points that it learns from',
    start: 'Train',
    pause: 'Pause',
    again: 'Again',
    step: 'step',
    loss: 'loss',
    correct: 'correct',
    problems: { spirals: 'Spirals', moons: 'Moons', circles: 'Circles', xor: 'XOR' },
    note: 'This runs in your browser: 2–16–16–1, tanh, Adam.',
    failed: 'Nothing can be computed here: ',
  },
};

const chinese: Words = {
  run: '运行',
  stop: '停止',
  edit: '修改',
  original: '还原',
  code: '示例代码',
  output: '输出',
  nothing: '没有输出。',
  running: (seconds) => (seconds < 1 ? '正在运行……' : `正在运行……${Math.floor(seconds)} 秒`),
  stopped: '已停止',
  took: (seconds) => `用时 ${seconds.toFixed(seconds < 10 ? 1 : 0)} 秒`,
  line: (number) => `第 ${number} 行：`,
  trainer: {
    label: '在本页中训练的神经网络',
    picture: '网络在平面各处的输出，以及训练用的点',
    start: '训练',
    pause: '暂停',
    again: '重新开始',
    step: '步数',
    loss: '损失',
    correct: '正确率',
    problems: { spirals: '螺旋', moons: '月牙', circles: '圆环', xor: '异或' },
    note: '就在你的浏览器里运行：2–16–16–1，tanh，Adam。',
    failed: '这里无法计算：',
  },
};

export const words = (language: string): Words => (language.startsWith('zh') ? chinese : english);
