// Adds two vectors on the GPU; where there is none, on the processor, and says so.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

__global__ void add(const float *a, const float *b, float *sum, int count) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) sum[i] = a[i] + b[i];
}

static bool add_on_gpu(const std::vector<float> &a, const std::vector<float> &b, std::vector<float> &sum) {
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) return false;
    size_t bytes = a.size() * sizeof(float);
    float *x, *y, *z;
    if (cudaMalloc(&x, bytes) != cudaSuccess) return false;
    cudaMalloc(&y, bytes);
    cudaMalloc(&z, bytes);
    cudaMemcpy(x, a.data(), bytes, cudaMemcpyHostToDevice);
    cudaMemcpy(y, b.data(), bytes, cudaMemcpyHostToDevice);
    add<<<(int(a.size()) + 255) / 256, 256>>>(x, y, z, int(a.size()));
    cudaMemcpy(sum.data(), z, bytes, cudaMemcpyDeviceToHost);
    cudaFree(x);
    cudaFree(y);
    cudaFree(z);
    return cudaGetLastError() == cudaSuccess;
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "/opt/vector/numbers.txt";
    FILE *file = std::fopen(path, "r");
    if (!file) {
        std::fprintf(stderr, "no file %s\n", path);
        return 2;
    }
    std::vector<float> a, b;
    float first, second;
    while (std::fscanf(file, "%f %f", &first, &second) == 2) {
        a.push_back(first);
        b.push_back(second);
    }
    std::fclose(file);
    int version = 0;
    cudaRuntimeGetVersion(&version);
    std::vector<float> sum(a.size());
    bool gpu = add_on_gpu(a, b, sum);
    if (!gpu)
        for (size_t i = 0; i < a.size(); i++) sum[i] = a[i] + b[i];
    float total = 0;
    for (float value : sum) total += value;
    std::printf("CUDA %d.%d, %s: %zu sums, %.1f in all\n", version / 1000, version % 100 / 10, gpu ? "GPU" : "no device",
                sum.size(), total);
    return 0;
}
