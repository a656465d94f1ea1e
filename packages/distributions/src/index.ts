/** The public names of @nn/distributions, one by one. */
export { Beta, Dirichlet } from './dirichlet.ts';
export { Bernoulli, type ByProbability, Categorical, Multinomial } from './discrete.ts';
export { Distribution, klDivergence, Reparameterised } from './distribution.ts';
export { Exponential, Gamma } from './gamma.ts';
export { Laplace } from './laplace.ts';
export { type ByCovariance, MultivariateNormal } from './multivariate-normal.ts';
export { Normal } from './normal.ts';
export { Poisson } from './poisson.ts';
export { Uniform } from './uniform.ts';
