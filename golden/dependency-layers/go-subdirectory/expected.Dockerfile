FROM golang:1.24
COPY src/chi/server/go.mod src/chi/server/go.sum /chi/server/
RUN cd /chi/server && go mod download
ADD ./src/chi /chi
WORKDIR /chi
RUN cd server && go build .
