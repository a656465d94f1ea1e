/** What the frame of the site says, in each language: navigation, labels, the search. */
import type { DefaultTheme } from 'vitepress';

interface Words {
  readonly description: string;
  readonly theme: DefaultTheme.Config;
}

const playground = { link: '/playground/index.html', target: '_self' };

export const english: Words = {
  description: 'Neural networks in TypeScript: in Node and in the browser, on the CPU and on the GPU.',
  theme: {
    nav: [
      { text: 'Guides', link: '/guides/', activeMatch: '^/guides/' },
      { text: 'Packages', link: '/packages/', activeMatch: '^/packages/' },
      { text: 'Names', link: '/api/', activeMatch: '^/api/' },
      { text: 'Lessons', link: '/lessons' },
      { text: 'Playground', ...playground },
    ],
  },
};

export const chinese: Words & {
  readonly sidebar: DefaultTheme.SidebarItem[];
  readonly search: NonNullable<DefaultTheme.LocalSearchOptions['translations']>;
} = {
  description: '用 TypeScript 写神经网络：在 Node 和浏览器里，用 CPU 或 GPU 训练。',
  theme: {
    nav: [
      { text: '入门', link: '/zh/guides/getting-started' },
      { text: '指南（英文）', link: '/guides/' },
      { text: 'API（英文）', link: '/api/' },
      { text: '课程', link: '/zh/lessons' },
      { text: '演练场', ...playground },
    ],
    outline: { level: [2, 3], label: '本页内容' },
    docFooter: { prev: '上一篇', next: '下一篇' },
    darkModeSwitchLabel: '主题',
    lightModeSwitchTitle: '切换到浅色',
    darkModeSwitchTitle: '切换到深色',
    sidebarMenuLabel: '目录',
    returnToTopLabel: '回到顶部',
    langMenuLabel: '切换语言',
    skipToContentLabel: '跳到正文',
  },
  sidebar: [
    {
      text: '第一个小时',
      items: [
        { text: '入门', link: '/zh/guides/getting-started' },
        { text: '张量（英文）', link: '/guides/tensors' },
        { text: '梯度（英文）', link: '/guides/gradients' },
        { text: '层（英文）', link: '/guides/layers' },
        { text: '训练循环（英文）', link: '/guides/training-loop' },
        { text: '全部指南（英文）', link: '/guides/' },
      ],
    },
  ],
  search: {
    button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
    modal: {
      displayDetails: '显示详情',
      resetButtonTitle: '清除',
      backButtonTitle: '关闭',
      noResultsText: '没有找到：',
      footer: {
        selectText: '打开',
        selectKeyAriaLabel: '回车',
        navigateText: '上下移动',
        navigateUpKeyAriaLabel: '上',
        navigateDownKeyAriaLabel: '下',
        closeText: '关闭',
        closeKeyAriaLabel: 'Esc',
      },
    },
  },
};
